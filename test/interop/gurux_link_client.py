"""Converses with a meter by gurux-dlms, over the wrapper or HDLC, by logical or short names: a JSON request on standard
input, a JSON answer on standard output with one entry for each of its `requests`.
"""

import datetime
import json
import socket
import sys

from gurux_dlms import GXByteBuffer, GXReplyData
from gurux_dlms.GXDLMSAccessItem import GXDLMSAccessItem
from gurux_dlms.ecdsa.GXPrivateKey import GXPrivateKey
from gurux_dlms.ecdsa.GXPublicKey import GXPublicKey
from gurux_dlms.enums import (
    AccessServiceCommandType,
    Authentication,
    Conformance,
    DataType,
    InterfaceType,
    Security,
)
from gurux_dlms.objects import GXDLMSData, GXDLMSImageTransfer, GXDLMSProfileGeneric, GXDLMSScriptTable
from gurux_dlms.objects.enums import SecuritySuite
from gurux_dlms.secure import GXDLMSSecureClient

AUTHENTICATION = {
    "none": Authentication.NONE,
    "lls": Authentication.LOW,
    "hls-md5": Authentication.HIGH_MD5,
    "hls-sha1": Authentication.HIGH_SHA1,
    "hls-gmac": Authentication.HIGH_GMAC,
    "hls-sha256": Authentication.HIGH_SHA256,
    "hls-ecdsa": Authentication.HIGH_ECDSA,
}


def client_of(request):
    client = GXDLMSSecureClient(
        "referencing" not in request,
        1,
        1,
        AUTHENTICATION[request["authentication"]],
        bytes.fromhex(request["secret"]) if "secret" in request else None,
        InterfaceType.HDLC if request["framing"] == "hdlc" else InterfaceType.WRAPPER,
    )
    ciphering = client.ciphering
    ciphering.systemTitle = bytes.fromhex(request["clientTitle"])
    if request.get("services"):
        for name in request["services"]:
            client.proposedConformance |= Conformance[name]
    if "window" in request:
        client.gbtWindowSize = request["window"]
    if "signing" in request:
        own, peer = request["signing"]
        ciphering.signingKeyPair = (
            GXPublicKey.fromRawBytes(b"\x04" + bytes.fromhex(peer)),
            GXPrivateKey.fromRawBytes(bytes.fromhex(own)),
        )
        # The package's own challenges may be shorter than the 32 octets of this mechanism.
        client.settings.useCustomChallenge = True
        client.settings.ctoSChallenge = bytearray(range(32))
    if "unicast" in request:
        ciphering.security = Security.AUTHENTICATION_ENCRYPTION
        ciphering.securitySuite = SecuritySuite(request["suite"])
        ciphering.blockCipherKey = bytes.fromhex(request["unicast"])
        ciphering.authenticationKey = bytes.fromhex(request["authenticationKey"])
        ciphering.invocationCounter = 1
        if "dedicatedKey" in request:
            ciphering.dedicatedKey = bytes.fromhex(request["dedicatedKey"])
    return client


class Conversation:
    def __init__(self, request):
        self.hdlc = request["framing"] == "hdlc"
        self.line = socket.create_connection(("127.0.0.1", request["port"]), timeout=10)
        self.client = client_of(request)

    def exchange(self, octets, reply):
        self.line.sendall(octets)
        received = GXByteBuffer()
        while True:
            more = self.line.recv(4096)
            if not more:
                raise ConnectionError("the meter closed the connection")
            received.set(more)
            if self.client.getData(received, reply):
                return

    def ask(self, requests):
        reply = GXReplyData()
        for one in requests if isinstance(requests, list) else [requests]:
            reply.clear()
            self.exchange(one, reply)
            while reply.isMoreData():
                self.exchange(self.client.receiverReady(reply), reply)
            if reply.error:
                raise RuntimeError(f"the meter refused: {reply.error}")
        return reply

    def associate(self):
        client = self.client
        if self.hdlc:
            client.parseUAResponse(self.ask(client.snrmRequest()).data)
        client.parseAareResponse(self.ask(client.aarqRequest()).data)
        if client.getIsAuthenticationRequired():
            client.parseApplicationAssociationResponse(self.ask(client.getApplicationAssociationRequest()).data)
        if not client.useLogicalNameReferencing:
            self.names = {item.logicalName: item.shortName for item in client.parseObjects(self.ask(client.getObjectsRequest()).data, False)}

    def named(self, item):
        if not self.client.useLogicalNameReferencing:
            item.shortName = self.names[item.logicalName]
        return item

    def note(self, name, value=None):
        note = self.named(GXDLMSData(name))
        note.setDataType(2, DataType.OCTET_STRING)
        if value is not None:
            note.value = bytes.fromhex(value)
        return note

    def write(self, name, value):
        self.ask(self.client.write(self.note(name, value), 2))
        return "written"

    def read(self, name):
        note = self.note(name)
        self.client.updateValue(note, 2, self.ask(self.client.read(note, 2)).value)
        return bytes(note.value).hex()

    def read_list(self, *names):
        notes = [self.note(name) for name in names]
        values = []
        for request in self.client.readList([(note, 2) for note in notes]):
            values += self.ask(request).value
        return [bytes(value).hex() for value in values]

    def write_list(self, *pairs):
        items = []
        for name, value in pairs:
            item = GXDLMSAccessItem(AccessServiceCommandType.SET, self.note(name, value), 2)
            item.selector, item.parameters = 0, None
            item.getDataType = lambda: DataType.OCTET_STRING
            items.append(item)
        self.ask(self.client.writeList(items))
        return "written"

    def method(self, name, value):
        script = self.named(GXDLMSScriptTable(name))
        return self.ask(self.client.method(script, 1, bytes.fromhex(value), DataType.OCTET_STRING))

    def invoke(self, name, value):
        return bytes(self.method(name, value).value).hex()

    def call(self, name, value):
        self.method(name, value)
        return "called"

    def rows(self, profile, request):
        self.client.updateValue(profile, 2, self.ask(request).value)
        return [[int(time.value.timestamp() * 1000), value] for time, value in profile.buffer]

    def profile(self, name):
        profile = self.named(GXDLMSProfileGeneric(name))
        self.client.updateValue(profile, 3, self.ask(self.client.read(profile, 3)).value)
        return profile

    def range(self, name, first, last):
        profile = self.profile(name)
        start, end = (datetime.datetime.fromtimestamp(at / 1000, datetime.timezone.utc) for at in (first, last))
        return self.rows(profile, self.client.readRowsByRange(profile, start, end))

    def entries(self, name, first, count):
        profile = self.profile(name)
        return self.rows(profile, self.client.readRowsByEntry(profile, first, count))

    def access(self, *names):
        items = [GXDLMSAccessItem(AccessServiceCommandType.GET, self.note(name), 2) for name in names]
        reply = self.ask(self.client.accessRequest(None, items))
        self.client.parseAccessResponse(items, reply.data)
        return [bytes(item.target.value).hex() for item in items]

    def attribute(self, item, index):
        self.client.updateValue(item, index, self.ask(self.client.read(item, index)).value)

    def image(self, name, identifier, octets):
        image = GXDLMSImageTransfer(name)
        self.attribute(image, 2)
        self.ask(image.imageTransferInitiate(self.client, identifier, len(octets) // 2))
        for request in image.imageBlockTransfer(self.client, bytes.fromhex(octets), None):
            self.ask(request)
        self.attribute(image, 4)
        seen = [image.imageFirstNotTransferredBlockNumber]
        for request, wanted in ((image.imageVerify, 3), (image.imageActivate, 6)):
            try:
                self.ask(request(self.client))
            except RuntimeError:  # temporary failure: it is on its way
                pass
            for _ in range(20):
                self.attribute(image, 6)
                if int(image.imageTransferStatus) == wanted:
                    break
            seen.append(int(image.imageTransferStatus))
        return seen

    def close(self):
        if self.hdlc:
            self.ask(self.client.disconnectRequest())
        self.line.close()


def main():
    answer, sys.stdout = sys.stdout, sys.stderr  # the library talks on standard output
    request = json.load(sys.stdin)
    conversation = Conversation(request)
    conversation.associate()
    said = []
    for kind, *arguments in request["requests"]:
        try:
            said.append(getattr(conversation, kind)(*arguments))
        except Exception as error:
            raise RuntimeError(f"{kind}: {error}") from error
    conversation.close()
    json.dump(said, answer)


main()
