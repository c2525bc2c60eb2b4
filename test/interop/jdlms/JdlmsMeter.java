import java.util.HexFormat;
import org.openmuc.jdlms.AttributeAccessMode;
import org.openmuc.jdlms.AuthenticationMechanism;
import org.openmuc.jdlms.ConformanceSetting;
import org.openmuc.jdlms.CosemAttribute;
import org.openmuc.jdlms.CosemClass;
import org.openmuc.jdlms.CosemInterfaceObject;
import org.openmuc.jdlms.CosemMethod;
import org.openmuc.jdlms.DlmsServer;
import org.openmuc.jdlms.LogicalDevice;
import org.openmuc.jdlms.MethodAccessMode;
import org.openmuc.jdlms.SecuritySuite;
import org.openmuc.jdlms.SecuritySuite.EncryptionMechanism;
import org.openmuc.jdlms.SecuritySuite.SecurityPolicy;
import org.openmuc.jdlms.datatypes.DataObject;
import org.openmuc.jdlms.sessionlayer.server.ServerSessionLayerFactories;

/**
 * A meter built on jDLMS: two notes that can be written, an echo, a value of 900 octets. Arguments: port, client title,
 * unicast key, authentication key, secret, framing. Clients: 16 without security, 2 with the secret, 1 by HLS-GMAC, each
 * APDU authenticated and encrypted. Serves until standard input closes.
 */
public class JdlmsMeter {
    private static final HexFormat HEX = HexFormat.of();

    @CosemClass(id = 1, version = 0)
    public static class Note extends CosemInterfaceObject {
        @CosemAttribute(id = 2, type = DataObject.Type.OCTET_STRING, accessMode = AttributeAccessMode.READ_AND_WRITE)
        private DataObject value;

        public Note(String name, int octets) {
            super(name);
            byte[] content = new byte[octets];
            for (int at = 0; at < octets; at++) content[at] = (byte) at;
            value = DataObject.newOctetStringData(content);
        }

        public DataObject getValue() {
            return value;
        }

        public void setValue(DataObject value) {
            this.value = value;
        }
    }

    @CosemClass(id = 9, version = 0)
    public static class Echo extends CosemInterfaceObject {
        @CosemAttribute(id = 2, type = DataObject.Type.UNSIGNED, accessMode = AttributeAccessMode.READ_ONLY)
        private final DataObject scripts = DataObject.newUInteger8Data((short) 7);

        public Echo(String name) {
            super(name);
        }

        @CosemMethod(id = 1, consumes = DataObject.Type.OCTET_STRING, accessMode = MethodAccessMode.ACCESS)
        public DataObject execute(DataObject parameter) {
            return parameter;
        }
    }

    public static void main(String[] args) throws Exception {
        byte[] unicast = HEX.parseHex(args[2]);
        SecuritySuite gmac = SecuritySuite.builder()
                .setAuthenticationMechanism(AuthenticationMechanism.HLS5_GMAC)
                .setSecurityPolicy(SecurityPolicy.AUTHENTICATED_AND_ENCRYPTED)
                .setEncryptionMechanism(unicast.length == 32 ? EncryptionMechanism.AES_GCM_256 : EncryptionMechanism.AES_GCM_128)
                .setGlobalUnicastEncryptionKey(unicast)
                .setAuthenticationKey(HEX.parseHex(args[3]))
                .build();
        SecuritySuite secret = SecuritySuite.builder()
                .setAuthenticationMechanism(AuthenticationMechanism.LOW)
                .setPassword(HEX.parseHex(args[4]))
                .build();
        LogicalDevice device = new LogicalDevice(1, "HRS0001000001", "HRS", 1);
        device.setMasterKey(new byte[16]);
        device.addRestriction(16, SecuritySuite.builder().build());
        device.addRestriction(2, secret);
        device.addRestriction(1, gmac);
        device.setConformance(
                ConformanceSetting.GET, ConformanceSetting.SET, ConformanceSetting.ACTION,
                ConformanceSetting.MULTIPLE_REFERENCES, ConformanceSetting.SELECTIVE_ACCESS,
                ConformanceSetting.BLOCK_TRANSFER_WITH_GET_OR_READ, ConformanceSetting.BLOCK_TRANSFER_WITH_SET_OR_WRITE,
                ConformanceSetting.BLOCK_TRANSFER_WITH_ACTION);
        device.registerCosemObject(
                new Note("0.0.96.13.0.255", 5), new Note("0.0.96.13.1.255", 6), new Note("0.0.96.1.1.255", 900),
                new Echo("0.0.10.0.0.255"));
        DlmsServer server = DlmsServer.tcpServerBuilder(Integer.parseInt(args[0]))
                .registerLogicalDevice(device)
                .setSessionLayerFactory(args[5].equals("hdlc")
                        ? ServerSessionLayerFactories.newHdlcSessionLayerFactory()
                        : ServerSessionLayerFactories.newWrapperSessionLayerFactory())
                .build();
        System.out.println("listening " + HEX.formatHex(device.getSystemTitle()));
        while (System.in.read() >= 0) {
        }
        server.close();
        System.exit(0);
    }
}
