"""A meter built on the Python package gurux-dlms, for our client to read.

The package parses and ciphers: wrapper, AARQ, InitiateRequest and -Response, A-XDR data, COSEM objects, GMAC, blocks, APDU
protection. Parts of its server side do not run as released (GXDLMSLNCommandHandler and generateAARE call accessors that
do not exist), so the meter below makes the AARE and dispatches GET and ACTION itself, to the package's objects.

Prints one line of JSON when it listens, {"port": …}, and serves until standard input closes.
"""

import argparse
import datetime
import json
import socket
import struct
import sys
import threading

from gurux_dlms import GXByteBuffer, GXDateTime, ValueEventArgs
from gurux_dlms.AesGcmParameter import AesGcmParameter
from gurux_dlms.GXCiphering import GXCiphering
from gurux_dlms.GXDLMS import GXDLMS
from gurux_dlms.GXDLMSLNParameters import GXDLMSLNParameters
from gurux_dlms.enums import (
    Authentication,
    Command,
    Conformance,
    DataType,
    ErrorCode,
    InterfaceType,
    ObjectType,
    Security,
    SourceDiagnostic,
)
from gurux_dlms.GXDLMSServer import GXDLMSServer
from gurux_dlms._GXAPDU import _GXAPDU
from gurux_dlms.internal._GXCommon import _GXCommon
from gurux_dlms.internal._GXDataInfo import _GXDataInfo
from gurux_dlms.objects import (
    GXDLMSAssociationLogicalName,
    GXDLMSCaptureObject,
    GXDLMSClock,
    GXDLMSData,
    GXDLMSExtendedRegister,
    GXDLMSProfileGeneric,
    GXDLMSRegister,
)
from gurux_dlms.GXSecure import GXSecure

STEP = 900


class Meter(GXDLMSServer):
    """One connection's view of the meter."""

    def __init__(self, options):
        super().__init__(True, InterfaceType.WRAPPER)
        self.options = options
        self.transaction = None
        self.settings.cipher = GXCiphering(bytes.fromhex(options.title))
        self.settings.cipher.blockCipherKey = bytearray.fromhex(options.key)
        self.settings.cipher.authenticationKey = bytearray.fromhex(options.auth_key)
        self.settings.cipher.invocationCounter = options.counter
        self.settings.maxServerPDUSize = options.pdu
        self.settings.proposedConformance = (
            Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
            | Conformance.MULTIPLE_REFERENCES
            | Conformance.GET
            | Conformance.SET
            | Conformance.SELECTIVE_ACCESS
            | Conformance.ACTION
        )
        self.fill()

    def fill(self):
        """The objects: their values come from the options, so that the reader knows what to expect."""
        association = GXDLMSAssociationLogicalName()
        clock = GXDLMSClock("0.0.1.0.0.255")
        clock.timeZone = -60
        name = GXDLMSData("0.0.42.0.0.255")
        name.value = "HRS0000000000001"
        name.setDataType(2, DataType.OCTET_STRING)
        status = GXDLMSData("0.0.96.10.1.255")
        status.value = 0
        status.setDataType(2, DataType.UINT8)
        registers = []
        for ln, value in (("1.0.1.8.0.255", self.options.registers[0]), ("1.0.2.8.0.255", self.options.registers[1])):
            register = GXDLMSRegister(ln)
            register.value = value
            register.scaler = 10
            register.unit = 30
            register.setDataType(2, DataType.UINT32)
            registers.append(register)
        demand = GXDLMSExtendedRegister("1.0.1.6.0.255")
        demand.value = 4711
        demand.scaler = 1
        demand.unit = 27
        demand.status = 0
        demand.captureTime = local(self.options.last)
        demand.setDataType(2, DataType.UINT32)
        demand.setDataType(4, DataType.UINT8)
        profile = GXDLMSProfileGeneric("1.0.99.1.0.255")
        profile.capturePeriod = STEP
        for column in (clock, status, *registers):
            profile.captureObjects.append((column, GXDLMSCaptureObject(2, 0)))
        for index in range(self.options.entries):
            end = self.options.last - (self.options.entries - 1 - index) * STEP
            profile.buffer.append([local(end), 0, 1000 + index * 10, 50 + index])
        profile.entriesInUse = len(profile.buffer)
        profile.profileEntries = 1000
        for each in (association, clock, name, status, *registers, demand, profile):
            self.items.append(each)
            association.objectList.append(each)

    def onValidateAuthentication(self, authentication, password):
        wanted = Authentication.HIGH_GMAC if self.options.secured else Authentication.NONE
        return SourceDiagnostic.NONE if authentication == wanted else SourceDiagnostic.AUTHENTICATION_FAILURE

    def associate(self, data):
        """The AARE: the package has parsed the AARQ, opened the InitiateRequest and protects the InitiateResponse."""
        cipher = self.settings.cipher
        self.reset(True)
        try:
            diagnostic = _GXAPDU.parsePDU(self.settings, cipher, data, None)
        except Exception as error:  # pylint: disable=broad-except
            print(f"AARQ: {error}", file=sys.stderr, flush=True)
            diagnostic = SourceDiagnostic.AUTHENTICATION_FAILURE
        self.settings.maxPduSize = min(self.settings.maxPduSize or 0xFFFF, self.options.pdu)
        if diagnostic == SourceDiagnostic.NONE:
            diagnostic = self.onValidateAuthentication(self.settings.authentication, None)
        accepted = diagnostic == SourceDiagnostic.NONE
        if accepted and self.options.secured:
            diagnostic = SourceDiagnostic.AUTHENTICATION_REQUIRED
        context = 3 if cipher.security != Security.NONE else 1
        parts = bytearray((0xA1, 9, 6, 7, 0x60, 0x85, 0x74, 5, 8, 1, context))
        parts += bytearray((0xA2, 3, 2, 1, 0 if accepted else 1, 0xA3, 5, 0xA1, 3, 2, 1, diagnostic))
        if accepted and self.options.secured:
            self.settings.setStoCChallenge(GXSecure.generateChallenge())
            challenge = bytearray(self.settings.stoCChallenge)
            parts += bytearray((0xA4, 10, 4, 8)) + bytearray(cipher.systemTitle)
            parts += bytearray((0x88, 2, 7, 0x80, 0x89, 7, 0x60, 0x85, 0x74, 5, 8, 2, 5))
            parts += bytearray((0xAA, len(challenge) + 2, 0x80, len(challenge))) + challenge
        if accepted:
            initiate = bytearray(_GXAPDU.getUserInformation(self.settings, cipher))
            cipher.invocationCounter += 1 if cipher.security != Security.NONE else 0
            parts += bytearray((0xBE, len(initiate) + 2, 4, len(initiate))) + initiate
        return GXByteBuffer(bytearray((0x61, len(parts))) + parts)

    def value(self, descriptor):
        """Get-Data-Result of one attribute."""
        class_id, ln, index, selector, parameters = descriptor
        target = self.items.findByLN(ObjectType(class_id), ln)
        result = GXByteBuffer()
        if target is None:
            result.set(bytearray((1, ErrorCode.UNDEFINED_OBJECT)))
            return result
        self.settings.index = 0
        self.settings.count = 0
        if class_id == ObjectType.CLOCK and index == 2:
            target.time = local(int(datetime.datetime.now().timestamp()))
        result.setUInt8(0)
        event = ValueEventArgs(self, target, index, 0, None)
        # The package asks for it under this name when it lists objects, and has it under another.
        event.isSkipMaxPduSize = True
        if class_id == ObjectType.PROFILE_GENERIC and index == 2 and selector == 1:
            kept, target.buffer = target.buffer, within(self.settings, target.buffer, parameters)
            result.set(target.getValue(self.settings, event))
            target.buffer = kept
            return result
        value = target.getValue(self.settings, event)
        if event.byteArray:
            result.set(value)
        else:
            GXDLMS.appendData(self.settings, target, index, result, value)
        return result

    def descriptor(self, data):
        class_id = data.getUInt16()
        ln = bytearray(6)
        data.get(ln)
        index = data.getUInt8()
        selector = data.getUInt8()
        parameters = None
        if selector:
            selector = data.getUInt8()
            parameters = _GXCommon.getData(self.settings, data, _GXDataInfo())
        return class_id, _GXCommon.toLogicalName(ln), index, selector, parameters

    def get(self, data):
        kind = data.getUInt8()
        invoke = data.getUInt8()
        if kind == 2:
            number = data.getUInt32()
            if self.transaction is None or number != self.settings.blockIndex:
                failed = bytearray((Command.GET_RESPONSE, 2, invoke, 1)) + number.to_bytes(4, "big") + bytearray((1, 19))
                return self.protect(failed)
            self.settings.increaseBlockIndex()
            return self.block(invoke)
        if kind == 1:
            result = self.value(self.descriptor(data))
            head, body = bytearray((Command.GET_RESPONSE, 1, invoke)), result.array()
            raw = body[1:]
        else:
            count = _GXCommon.getObjectCount(data)
            body = bytearray((count,))
            for descriptor in [self.descriptor(data) for _ in range(count)]:
                body += self.value(descriptor).array()
            head, raw = bytearray((Command.GET_RESPONSE, 3, invoke)), body
        if len(head) + len(body) + 40 <= self.settings.maxPduSize:
            return self.protect(head + body)
        self.transaction = GXByteBuffer(raw)
        self.settings.resetBlockIndex()
        return self.block(invoke)

    def block(self, invoke):
        """The next block, cut and protected by the package."""
        p = GXDLMSLNParameters(self.settings, invoke, Command.GET_RESPONSE, 2, None, self.transaction, ErrorCode.OK)
        p.multipleBlocks = True
        reply = GXByteBuffer()
        GXDLMS.getLNPdu(p, reply)
        if self.transaction.position >= self.transaction.size:
            self.transaction = None
        return reply

    def protect(self, apdu):
        """An APDU of ours, protected by the package where the association is."""
        if self.settings.cipher.security == Security.NONE:
            return GXByteBuffer(apdu)
        p = GXDLMSLNParameters(self.settings, 0, apdu[0], 0, None, None, 0)
        reply = GXByteBuffer()
        reply.set(GXDLMS.cipher0(p, GXByteBuffer(apdu)))
        return reply

    def act(self, data):
        data.getUInt8()
        invoke = data.getUInt8()
        class_id = data.getUInt16()
        ln = bytearray(6)
        data.get(ln)
        index = data.getUInt8()
        parameter = None
        if data.getUInt8():
            parameter = _GXCommon.getData(self.settings, data, _GXDataInfo())
        if class_id != ObjectType.ASSOCIATION_LOGICAL_NAME or index != 1:
            return self.protect(bytearray((Command.METHOD_RESPONSE, 1, invoke, ErrorCode.UNDEFINED_OBJECT, 0)))
        counter = int.from_bytes(parameter[1:5], "big")
        expected = GXSecure.secure(
            self.settings, self.settings.cipher, counter, self.settings.stoCChallenge, self.settings.sourceSystemTitle
        )
        if bytes(expected) != bytes(parameter):
            return self.protect(bytearray((Command.METHOD_RESPONSE, 1, invoke, ErrorCode.READ_WRITE_DENIED, 0)))
        own = self.settings.cipher.invocationCounter
        self.settings.cipher.invocationCounter = own + 1
        proof = GXSecure.secure(
            self.settings, self.settings.cipher, own, self.settings.ctoSChallenge, self.settings.cipher.systemTitle
        )
        head = bytearray((Command.METHOD_RESPONSE, 1, invoke, 0, 1, 0, DataType.OCTET_STRING, len(proof)))
        return self.protect(head + bytearray(proof))

    def answer(self, apdu):
        """The APDU that answers an APDU."""
        data = GXByteBuffer(apdu)
        if apdu[0] in CIPHERED:
            cipher = self.settings.cipher
            keys = AesGcmParameter(0, self.settings.sourceSystemTitle, cipher.blockCipherKey, cipher.authenticationKey)
            data = GXByteBuffer(GXCiphering.decrypt(self.settings, keys, data))
            if keys.security != Security.AUTHENTICATION_ENCRYPTION:
                raise ValueError(f"expected authentication and encryption, got {keys.security}")
        elif self.settings.cipher.security != Security.NONE and apdu[0] not in (Command.AARQ, Command.RELEASE_REQUEST):
            raise ValueError("expected a ciphered request")
        command = data.getUInt8()
        if command == Command.AARQ:
            data.position = 0
            return self.associate(data)
        if command == Command.RELEASE_REQUEST:
            return GXByteBuffer(bytearray((0x63, 3, 0x80, 1, 0)))
        if command == Command.GET_REQUEST:
            return self.get(data)
        if command == Command.METHOD_REQUEST:
            return self.act(data)
        raise ValueError(f"no answer to command {command}")


CIPHERED = (Command.GLO_GET_REQUEST, Command.GLO_METHOD_REQUEST, Command.GENERAL_GLO_CIPHERING)


def local(seconds):
    """The meter's local time: UTC+1."""
    zone = datetime.timezone(datetime.timedelta(hours=1))
    return GXDateTime(datetime.datetime.fromtimestamp(seconds, zone))


def within(settings, rows, parameters):
    """The rows whose clock lies in a range descriptor's from..to."""
    first, last = (
        _GXCommon.changeType(settings, bytearray(octets), DataType.DATETIME).value.timestamp()
        for octets in (parameters[1], parameters[2])
    )
    return [row for row in rows if first <= row[0].value.timestamp() <= last]


def exactly(connection, count):
    octets = b""
    while len(octets) < count:
        part = connection.recv(count - len(octets))
        if not part:
            return None
        octets += part
    return octets


def serve(connection, options):
    """Wrapper PDUs in, wrapper PDUs out; whatever goes wrong ends the connection and is told on standard error."""
    meter = Meter(options)
    with connection:
        while (header := exactly(connection, 8)) is not None:
            version, client, server, length = struct.unpack(">HHHH", header)
            apdu = exactly(connection, length)
            if version != 1 or server != 1 or apdu is None:
                return
            try:
                reply = bytes(meter.answer(bytearray(apdu)).array())
            except Exception as error:  # pylint: disable=broad-except
                print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
                return
            connection.sendall(struct.pack(">HHHH", 1, server, client, len(reply)) + reply)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--secured", action="store_true", help="HLS-GMAC, authenticated and encrypted; else no security")
    parser.add_argument("--title", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--auth-key", required=True)
    parser.add_argument("--counter", type=int, default=1)
    parser.add_argument("--pdu", type=int, default=512)
    parser.add_argument("--last", type=int, required=True, help="end of the newest entry, seconds since 1970")
    parser.add_argument("--entries", type=int, default=96)
    parser.add_argument("--registers", type=int, nargs=2, required=True)
    options = parser.parse_args()
    listener = socket.create_server(("127.0.0.1", 0))
    print(json.dumps({"port": listener.getsockname()[1]}), flush=True)

    def accept():
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=serve, args=(connection, options), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
