"""Reads one simulated meter with dlms-cosem: a JSON request on standard input, a JSON answer on standard output."""

import datetime
import json
import logging
import sys

import structlog
from dlms_cosem import cosem, enumerations, utils
from dlms_cosem.client import DlmsClient
from dlms_cosem.cosem.capture_object import CaptureObject
from dlms_cosem.cosem.selective_access import RangeDescriptor
from dlms_cosem.io import BlockingTcpIO, TcpTransport
from dlms_cosem.parsers import AssociationObjectListParser, ProfileGenericBufferParser
from dlms_cosem.security import (
    HighLevelSecurityGmacAuthentication,
    LowLevelSecurityAuthentication,
    NoSecurityAuthentication,
)
from dlms_cosem.time import datetime_from_bytes

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
Interface = enumerations.CosemInterface


def authentication_of(meter):
    if meter["authentication"] == "hls-gmac":
        return HighLevelSecurityGmacAuthentication(challenge_length=32)
    if meter["authentication"] == "lls":
        return LowLevelSecurityAuthentication(secret=bytes.fromhex(meter["keys"]["llsSecret"]))
    return NoSecurityAuthentication()


def client_of(meter, counter):
    transport = TcpTransport(
        client_logical_address=meter["clientSap"],
        server_logical_address=meter["serverSap"],
        io=BlockingTcpIO(host=meter["host"], port=meter["port"]),
    )
    secured = {}
    if meter["ciphering"] != "none":
        secured = {
            "encryption_key": bytes.fromhex(meter["keys"]["unicast"]),
            "authentication_key": bytes.fromhex(meter["keys"]["authentication"]),
            "client_system_title": bytes.fromhex(meter["clientSystemTitle"]),
            "client_initial_invocation_counter": counter,
        }
    return DlmsClient(transport=transport, authentication=authentication_of(meter), **secured)


def attribute(interface, name, number):
    return cosem.CosemAttribute(interface=interface, instance=cosem.Obis.from_string(name), attribute=number)


def instant(value):
    return value.astimezone(datetime.timezone.utc).timestamp() * 1000


def main():
    request = json.load(sys.stdin)
    with client_of(request["meter"], request["counter"]).session() as client:

        def read(interface, name, number, selection=None):
            return utils.parse_as_dlms_data(client.get(attribute(interface, name, number), selection))

        registers = {}
        for name in request["registers"]:
            scaler, _ = read(Interface.REGISTER, name, 3)
            registers[name] = {"value": read(Interface.REGISTER, name, 2), "scaler": 10**scaler}
        clock, _ = datetime_from_bytes(read(Interface.CLOCK, "0.0.1.0.0.255", 2))

        columns = [
            attribute(Interface(class_id), ".".join(map(str, bytes(obis))), number)
            for class_id, obis, number, _ in read(Interface.PROFILE_GENERIC, request["profile"], 3)
        ]
        period = read(Interface.PROFILE_GENERIC, request["profile"], 4)
        zone = datetime.timezone(datetime.timedelta(hours=1))
        start, end = (datetime.datetime.fromtimestamp(at / 1000, zone) for at in (request["from"], request["to"]))
        clock_column = CaptureObject(cosem_attribute=attribute(Interface.CLOCK, "0.0.1.0.0.255", 2), data_index=0)
        selection = RangeDescriptor(restricting_object=clock_column, from_value=start, to_value=end)
        buffer = client.get(attribute(Interface.PROFILE_GENERIC, request["profile"], 2), selection)
        parser = ProfileGenericBufferParser(capture_objects=columns, capture_period=period // 60)
        rows = parser.parse_bytes(buffer)
        objects = AssociationObjectListParser.parse_bytes(
            client.get(attribute(Interface.ASSOCIATION_LN, "0.0.40.0.0.255", 2))
        )
    json.dump(
        {
            "registers": registers,
            "clock": instant(clock),
            "columns": [column.instance.to_string(separator=".") for column in columns],
            "entries": [
                [int(instant(cell.value)) if isinstance(cell.value, datetime.datetime) else cell.value for cell in row]
                for row in rows
            ],
            "objects": [[item.interface, item.logical_name.to_string(separator=".")] for item in objects],
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
