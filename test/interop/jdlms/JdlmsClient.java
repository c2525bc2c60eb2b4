import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.openmuc.jdlms.AttributeAddress;
import org.openmuc.jdlms.AuthenticationMechanism;
import org.openmuc.jdlms.DlmsConnection;
import org.openmuc.jdlms.GetResult;
import org.openmuc.jdlms.MethodParameter;
import org.openmuc.jdlms.MethodResult;
import org.openmuc.jdlms.SecuritySuite;
import org.openmuc.jdlms.SecuritySuite.EncryptionMechanism;
import org.openmuc.jdlms.SecuritySuite.SecurityPolicy;
import org.openmuc.jdlms.SelectiveAccessDescription;
import org.openmuc.jdlms.SetParameter;
import org.openmuc.jdlms.SnObjectInfo;
import org.openmuc.jdlms.TcpConnectionBuilder;
import org.openmuc.jdlms.datatypes.DataObject;
import org.openmuc.jdlms.settings.client.ReferencingMethod;

/**
 * Converses with a meter by jDLMS. Standard input: lines `set NAME VALUE` of settings, then `open`, then a line a request;
 * a line of answer each.
 */
public class JdlmsClient {
    private static final HexFormat HEX = HexFormat.of();

    /** A value in words: octet-strings in hex, arrays and structures in brackets. */
    static String text(DataObject data) {
        if (data == null || data.isNull()) return "null";
        if (data.isByteArray()) return HEX.formatHex((byte[]) data.getValue());
        if (data.isCosemDateFormat()) {
            org.openmuc.jdlms.datatypes.CosemDateFormat value = data.getValue();
            return HEX.formatHex(value.encode());
        }
        if (data.isComplex()) {
            List<DataObject> members = data.getValue();
            List<String> texts = new ArrayList<>();
            for (DataObject member : members) texts.add(text(member));
            return "[" + String.join(",", texts) + "]";
        }
        return String.valueOf(data.getRawValue());
    }

    static String text(GetResult result) {
        return result.requestSuccessful() ? text(result.getResultData()) : String.valueOf(result.getResultCode());
    }

    static String text(MethodResult result) {
        return result.getResultCode() + " " + text(result.getResultData());
    }

    static DataObject octets(String hex) {
        return DataObject.newOctetStringData(HEX.parseHex(hex));
    }

    static AttributeAddress attribute(String[] words, int at) {
        return new AttributeAddress(Integer.parseInt(words[at]), words[at + 1], Integer.parseInt(words[at + 2]));
    }

    static DlmsConnection open(java.util.Map<String, String> settings) throws Exception {
        byte[] title = HEX.parseHex(settings.get("title"));
        long serial = 0;
        for (int at = 3; at < 8; at++) serial = serial << 8 | (title[at] & 0xff);
        SecuritySuite.SecuritySuiteBuilder suite = SecuritySuite.builder();
        String authentication = settings.get("authentication");
        suite.setAuthenticationMechanism(
                authentication.equals("hls-gmac") ? AuthenticationMechanism.HLS5_GMAC
                        : authentication.equals("lls") ? AuthenticationMechanism.LOW : AuthenticationMechanism.NONE);
        if (authentication.equals("lls")) suite.setPassword(HEX.parseHex(settings.get("secret")));
        if (settings.containsKey("unicast")) {
            byte[] unicast = HEX.parseHex(settings.get("unicast"));
            suite.setEncryptionMechanism(
                    unicast.length == 32 ? EncryptionMechanism.AES_GCM_256 : EncryptionMechanism.AES_GCM_128);
            suite.setGlobalUnicastEncryptionKey(unicast);
            suite.setAuthenticationKey(HEX.parseHex(settings.get("authenticationKey")));
            suite.setSecurityPolicy(SecurityPolicy.valueOf(settings.getOrDefault("policy", "AUTHENTICATED_AND_ENCRYPTED")));
        }
        TcpConnectionBuilder builder = new TcpConnectionBuilder("127.0.0.1")
                .setPort(Integer.parseInt(settings.get("port")))
                .setClientId(1)
                .setLogicalDeviceId(1)
                .setResponseTimeout(10000)
                .setSystemTitle(new String(title, 0, 3), serial)
                .setFrameCounter(100)
                .setSecuritySuite(suite.build());
        if (settings.get("framing").equals("hdlc")) builder.useHdlc();
        else builder.useWrapper();
        if (settings.containsKey("short")) builder.setReferencingMethod(ReferencingMethod.SHORT);
        return builder.build();
    }

    static List<AttributeAddress> attributes(String[] words, int step) {
        List<AttributeAddress> found = new ArrayList<>();
        for (int at = 1; at < words.length; at += step) found.add(attribute(words, at));
        return found;
    }

    static String answer(DlmsConnection connection, String[] words) throws Exception {
        switch (words[0]) {
            case "get":
                return text(connection.get(attribute(words, 1)));
            case "write":
                return String.valueOf(connection.set(new SetParameter(attribute(words, 1), octets(words[4]))));
            case "get-list": {
                List<String> texts = new ArrayList<>();
                for (GetResult result : connection.get(attributes(words, 3))) texts.add(text(result));
                return String.join(" ", texts);
            }
            case "write-list": {
                List<SetParameter> parameters = new ArrayList<>();
                for (int at = 1; at < words.length; at += 4)
                    parameters.add(new SetParameter(attribute(words, at), octets(words[at + 3])));
                return String.valueOf(connection.set(parameters));
            }
            case "invoke":
                return text(connection.action(new MethodParameter(
                        Integer.parseInt(words[1]), words[2], Integer.parseInt(words[3]), octets(words[4]))));
            case "invoke-list": {
                List<MethodParameter> parameters = new ArrayList<>();
                for (int at = 1; at < words.length; at += 4)
                    parameters.add(new MethodParameter(
                            Integer.parseInt(words[at]), words[at + 1], Integer.parseInt(words[at + 2]), octets(words[at + 3])));
                List<String> texts = new ArrayList<>();
                for (MethodResult result : connection.action(parameters)) texts.add(text(result));
                return String.join(" ", texts);
            }
            case "range": {
                DataObject clock = DataObject.newStructureData(
                        DataObject.newUInteger16Data(8), octets("0000010000ff"),
                        DataObject.newInteger8Data((byte) 2), DataObject.newUInteger16Data(0));
                DataObject range = DataObject.newStructureData(
                        clock, octets(words[4]), octets(words[5]), DataObject.newArrayData(new ArrayList<>()));
                SelectiveAccessDescription selection = new SelectiveAccessDescription(1, range);
                return text(connection.get(new AttributeAddress(Integer.parseInt(words[1]), words[2], 2, selection)));
            }
            case "entries": {
                DataObject entries = DataObject.newStructureData(
                        DataObject.newUInteger32Data(Long.parseLong(words[4])), DataObject.newUInteger32Data(Long.parseLong(words[5])),
                        DataObject.newUInteger16Data(1), DataObject.newUInteger16Data(0));
                SelectiveAccessDescription selection = new SelectiveAccessDescription(2, entries);
                return text(connection.get(new AttributeAddress(Integer.parseInt(words[1]), words[2], 2, selection)));
            }
            case "names":
                return String.valueOf(SnObjectInfo.retrieveLnToSnMappingFrom(connection).size());
            default:
                throw new IllegalArgumentException("no request " + Arrays.toString(words));
        }
    }

    public static void main(String[] args) {
        try {
            converse();
            System.exit(0);
        } catch (Exception error) {
            // The library's reading thread would keep the process alive.
            error.printStackTrace();
            System.exit(1);
        }
    }

    private static void converse() throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        java.util.Map<String, String> settings = new java.util.HashMap<>();
        DlmsConnection connection = null;
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.trim().split(" ");
            if (words[0].equals("set")) settings.put(words[1], words[2]);
            else if (words[0].equals("open")) connection = open(settings);
            else System.out.println(answer(connection, words));
        }
        connection.close();
    }
}
