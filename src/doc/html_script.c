/* html_script.c - see html_script.h. */
#include "doc/html_script.h"

/*
 * A heading becomes a button, so that the keyboard and a screen reader find it; aria-sort says how it stands.
 * Cells without a value ("-") stay at the end; a chip has a sign before its value.  Paper cannot be clicked on: what
 * is folded is printed open (html_style.c does the same where there is no script, and the browser is new).
 */
const char html_script[] =
    "\"use strict\";(function(){\n"
    "var words=new Intl.Collator(document.documentElement.lang,{numeric:true});\n"
    "function key(row,i){var c=row.cells[i],t=c.textContent.trim();\n"
    "if(c.querySelector(\".chip\"))t=t.slice(2);\n"
    "if(t===\"\"||t===\"-\")return null;\n"
    "if(c.dataset.rank)return Number(c.dataset.rank);\n"
    "return isFinite(t)?Number(t):t}\n"
    "function compare(a,b){return typeof a===\"number\"&&typeof b===\"number\"?a-b:"
    "words.compare(String(a),String(b))}\n"
    "function sort(table,i,down){var body=table.tBodies[0];\n"
    "Array.from(body.rows).map(function(row){return{row:row,key:key(row,i)}}).sort(function(a,b){\n"
    "if(a.key===null||b.key===null)return(a.key===null)-(b.key===null);\n"
    "return down?compare(b.key,a.key):compare(a.key,b.key)})\n"
    ".forEach(function(one){body.appendChild(one.row)})}\n"
    "document.querySelectorAll(\"table.sortable\").forEach(function(table){\n"
    "var heads=Array.from(table.tHead.rows[0].cells);\n"
    "heads.forEach(function(head,i){var button=document.createElement(\"button\");\n"
    "button.type=\"button\";button.textContent=head.textContent;head.textContent=\"\";head.appendChild(button);\n"
    "button.addEventListener(\"click\",function(){\n"
    "var down=head.getAttribute(\"aria-sort\")===\"ascending\";\n"
    "heads.forEach(function(other){other.removeAttribute(\"aria-sort\")});\n"
    "head.setAttribute(\"aria-sort\",down?\"descending\":\"ascending\");sort(table,i,down)})})});\n"
    "function open(){var at=document.getElementById(location.hash.slice(1)),"
    "card=at&&at.closest(\"details\");\n"
    "if(card){card.open=true;card.scrollIntoView();card.firstElementChild.focus()}}\n"
    "addEventListener(\"hashchange\",open);open();\n"
    "var shut=[];\n"
    "addEventListener(\"beforeprint\",function(){shut=Array.from(document.querySelectorAll(\"details:not([open])\"));\n"
    "shut.forEach(function(card){card.open=true})});\n"
    "addEventListener(\"afterprint\",function(){shut.forEach(function(card){card.open=false})})})();\n";

const char html_script_sha256[] = "xv8W5GQFOcP8lrQkD+P5qLSJ664EdTy39tgbBNALETs=";
