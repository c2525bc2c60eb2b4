"""Reads one simulated meter with gurux-dlms: a JSON request on standard input, a JSON answer on standard output."""

import datetime
import json
import socket
import sys

from gurux_dlms import GXByteBuffer, GXReplyData
from gurux_dlms.enums import Authentication, InterfaceType, ObjectType, Security
from gurux_dlms.objects import GXDLMSClock, GXDLMSProfileGeneric, GXDLMSRegister
from gurux_dlms.secure import GXDLMSSecureClient

AUTHENTICATION = {"none": Authentication.NONE, "lls": Authentication.LOW, "hls-gmac": Authentication.HIGH_GMAC}


class Reader:
    def __init__(self, meter, counter):
        self.socket = socket.create_connection((meter["host"], meter["port"]), timeout=10)
        keys = meter["keys"]
        self.client = GXDLMSSecureClient(
            True,
            meter["clientSap"],
            meter["serverSap"],
            AUTHENTICATION[meter["authentication"]],
            bytes.fromhex(keys["llsSecret"]) if "llsSecret" in keys else None,
            InterfaceType.WRAPPER,
        )
        if meter["ciphering"] != "none":
            ciphering = self.client.ciphering
            ciphering.security = Security.AUTHENTICATION_ENCRYPTION
            ciphering.systemTitle = bytes.fromhex(meter["clientSystemTitle"])
            ciphering.blockCipherKey = bytes.fromhex(keys["unicast"])
            ciphering.authenticationKey = bytes.fromhex(keys["authentication"])
            ciphering.invocationCounter = counter

    def receive(self, length):
        octets = b""
        while len(octets) < length:
            more = self.socket.recv(length - len(octets))
            if not more:
                raise ConnectionError("the meter closed the connection")
            octets += more
        return octets

    def exchange(self, request, reply):
        self.socket.sendall(request)
        header = self.receive(8)
        octets = GXByteBuffer(header + self.receive(int.from_bytes(header[6:8], "big")))
        self.client.getData(octets, reply)

    def ask(self, requests):
        reply = GXReplyData()
        for request in requests if isinstance(requests, list) else [requests]:
            reply.clear()
            self.exchange(request, reply)
            while reply.isMoreData():
                self.exchange(self.client.receiverReady(reply), reply)
            if reply.error:
                raise RuntimeError(f"the meter refused: {reply.error}")
        return reply

    def associate(self):
        self.client.parseAareResponse(self.ask(self.client.aarqRequest()).data)
        if self.client.getIsAuthenticationRequired():
            reply = self.ask(self.client.getApplicationAssociationRequest())
            self.client.parseApplicationAssociationResponse(reply.data)

    def read(self, item, attribute):
        reply = self.ask(self.client.read(item, attribute))
        self.client.updateValue(item, attribute, reply.value)

    def release(self):
        self.ask(self.client.releaseRequest())
        self.socket.close()


def instant(value):
    return value.value.astimezone(datetime.timezone.utc).timestamp() * 1000


def entries_of(profile):
    rows = []
    for row in profile.buffer:
        cells = [instant(cell) if hasattr(cell, "value") and isinstance(cell.value, datetime.datetime) else cell for cell in row]
        rows.append([int(cell) for cell in cells])
    return rows


def main():
    answer, sys.stdout = sys.stdout, sys.stderr  # the library talks on standard output
    request = json.load(sys.stdin)
    reader = Reader(request["meter"], request["counter"])
    reader.associate()

    registers = {}
    for name in request["registers"]:
        register = GXDLMSRegister(name)
        reader.read(register, 3)
        reader.read(register, 2)
        registers[name] = {"value": round(register.value / register.scaler), "scaler": register.scaler}

    clock = GXDLMSClock("0.0.1.0.0.255")
    reader.read(clock, 2)

    profile = GXDLMSProfileGeneric(request["profile"])
    reader.read(profile, 3)
    reader.read(profile, 4)
    zone = datetime.timezone.utc
    start, end = (datetime.datetime.fromtimestamp(at / 1000, zone) for at in (request["from"], request["to"]))
    reply = reader.ask(reader.client.readRowsByRange(profile, start, end))
    reader.client.updateValue(profile, 2, reply.value)
    by_range = entries_of(profile)
    reply = reader.ask(reader.client.readRowsByEntry(profile, 1, 3))
    reader.client.updateValue(profile, 2, reply.value)
    by_entry = entries_of(profile)

    objects = reader.client.parseObjects(reader.ask(reader.client.getObjectsRequest()).data, False)
    reader.release()
    json.dump(
        {
            "registers": registers,
            "clock": instant(clock.time),
            "columns": [str(column[0].logicalName) for column in profile.captureObjects],
            "entries": by_range,
            "firstEntries": by_entry,
            "objects": [[int(item.objectType), str(item.logicalName)] for item in objects],
        },
        answer,
    )


if __name__ == "__main__":
    main()
