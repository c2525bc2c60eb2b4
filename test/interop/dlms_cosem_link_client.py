"""Converses with a meter by dlms-cosem, over the wrapper or HDLC: a JSON request on standard input, a JSON answer on
standard output with one entry for each of its `requests`.
"""

import json
import logging
import sys

import structlog
from dlms_cosem import cosem, dlms_data, enumerations, utils
from dlms_cosem.client import DlmsClient
from dlms_cosem.io import BlockingTcpIO, HdlcTransport, TcpTransport
from dlms_cosem.security import (
    HighLevelSecurityCommonAuthentication,
    HighLevelSecurityGmacAuthentication,
    NoSecurityAuthentication,
)

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
Interface = enumerations.CosemInterface


def authentication_of(request):
    if request["authentication"] == "hls-gmac":
        return HighLevelSecurityGmacAuthentication(challenge_length=32)
    if request["authentication"] == "hls-manufacturer":
        return HighLevelSecurityCommonAuthentication(secret=bytes.fromhex(request["secret"]))
    return NoSecurityAuthentication()


def client_of(request):
    io = BlockingTcpIO(host="127.0.0.1", port=request["port"])
    if request["framing"] == "hdlc":
        transport = HdlcTransport(
            client_logical_address=1,
            server_logical_address=1,
            server_physical_address=request.get("physicalDevice"),
            extended_addressing=request.get("extendedAddressing", False),
            io=io,
        )
    else:
        transport = TcpTransport(client_logical_address=1, server_logical_address=1, io=io)
    secured = {"client_system_title": bytes.fromhex(request["clientTitle"])}
    if "unicast" in request:
        secured |= {
            "encryption_key": bytes.fromhex(request["unicast"]),
            "authentication_key": bytes.fromhex(request["authenticationKey"]),
            "client_initial_invocation_counter": 1,
        }
    return DlmsClient(transport=transport, authentication=authentication_of(request), **secured)


def note(name):
    return cosem.CosemAttribute(interface=Interface.DATA, instance=cosem.Obis.from_string(name), attribute=2)


def octets(value):
    return dlms_data.OctetStringData(bytes.fromhex(value)).to_bytes()


def write(client, name, value):
    return client.set(note(name), octets(value)).result.name


def read(client, name):
    return bytes(utils.parse_as_dlms_data(client.get(note(name)))).hex()


def read_list(client, *names):
    wanted = [cosem.CosemAttributeWithSelection(attribute=note(name), access_selection=None) for name in names]
    return [bytes(value.value).hex() for value in client.get_many(wanted).response_data]


def invoke(client, name, value):
    method = cosem.CosemMethod(interface=Interface.SCRIPT_TABLE, instance=cosem.Obis.from_string(name), method=1)
    return bytes(utils.parse_as_dlms_data(client.action(method, octets(value)))).hex()


def main():
    request = json.load(sys.stdin)
    said = []
    with client_of(request).session() as client:
        for kind, *arguments in request["requests"]:
            said.append({"write": write, "read": read, "read_list": read_list, "invoke": invoke}[kind](client, *arguments))
    json.dump(said, sys.stdout)


main()
