/*
 * Judges certificates as Java does: a PKIX path found among what was sent, the revocation of every
 * level, purpose, host name.
 *
 * A line in:   NUMBER  CHAIN  ROOT  CRLS|-  server|client  HOST|-  SECONDS     (tabs between)
 * A line out:  NUMBER  accept|refuse  CN in hex  REASON
 */
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.cert.*;
import java.util.*;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;
import sun.security.util.HostnameChecker;

public class Judge {
    private static final Map<String, String> PURPOSE =
        Map.of("server", "1.3.6.1.5.5.7.3.1", "client", "1.3.6.1.5.5.7.3.2");
    private static final CertificateFactory FACTORY = factory();

    private static CertificateFactory factory() {
        try {
            return CertificateFactory.getInstance("X.509");
        } catch (CertificateException e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<X509Certificate> certificates(String path) throws Exception {
        List<X509Certificate> all = new ArrayList<>();
        try (FileInputStream in = new FileInputStream(path)) {
            for (Certificate one : FACTORY.generateCertificates(in))
                all.add((X509Certificate) one);
        }
        return all;
    }

    private static CertStore store(Collection<?> of) throws Exception {
        return CertStore.getInstance("Collection", new CollectionCertStoreParameters(of));
    }

    private static String commonName(X509Certificate leaf) throws Exception {
        for (Rdn rdn : new LdapName(leaf.getSubjectX500Principal().getName()).getRdns())
            if (rdn.getType().equalsIgnoreCase("CN"))
                return HexFormat.of().formatHex(
                    rdn.getValue().toString().getBytes(StandardCharsets.UTF_8));
        return "";
    }

    private static void validate(List<X509Certificate> chain, String[] field) throws Exception {
        Set<TrustAnchor> anchors = new HashSet<>();
        for (X509Certificate root : certificates(field[2]))
            anchors.add(new TrustAnchor(root, null));

        X509CertSelector target = new X509CertSelector();
        target.setCertificate(chain.get(0));
        target.setExtendedKeyUsage(Set.of(PURPOSE.get(field[4])));
        target.setKeyUsage(new boolean[] { true });     // digitalSignature

        PKIXBuilderParameters how = new PKIXBuilderParameters(anchors, target);
        how.addCertStore(store(chain));
        how.setDate(new Date(Long.parseLong(field[6]) * 1000));
        how.setRevocationEnabled(!field[3].equals("-"));
        CertPathBuilder builder = CertPathBuilder.getInstance("PKIX");
        if (how.isRevocationEnabled()) {
            try (FileInputStream in = new FileInputStream(field[3])) {
                how.addCertStore(store(FACTORY.generateCRLs(in)));
            }
            PKIXRevocationChecker revocation =
                (PKIXRevocationChecker) builder.getRevocationChecker();
            revocation.setOptions(EnumSet.of(PKIXRevocationChecker.Option.PREFER_CRLS,
                                             PKIXRevocationChecker.Option.NO_FALLBACK));
            how.addCertPathChecker(revocation);
        }
        builder.build(how);
        if (!field[5].equals("-"))
            HostnameChecker.getInstance(HostnameChecker.TYPE_TLS).match(field[5], chain.get(0));
    }

    private static String judge(String[] field) {
        String name = "";
        try {
            List<X509Certificate> chain = certificates(field[1]);
            name = commonName(chain.get(0));
            validate(chain, field);
            return "accept\t" + name + "\t";
        } catch (Exception e) {
            return "refuse\t" + name + "\t" + String.valueOf(e).split("\n")[0].replace('\t', ' ');
        }
    }

    public static void main(String[] args) throws Exception {
        BufferedReader in =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, true, "UTF-8");
        for (String line; (line = in.readLine()) != null; ) {
            String[] field = line.split("\t");
            out.println(field[0] + "\t" + judge(field));
        }
    }
}
