"""Makes an Event-Notification (by logical names) or an Information-Report (by short names) of a Data object with gurux-dlms.
A JSON request on standard input: {"referencing", "name", "shortName", "time", "value"}; the frame, hex, on standard output.
"""

import datetime
import json
import sys

from gurux_dlms.GXDateTime import GXDateTime
from gurux_dlms.enums import DataType, InterfaceType
from gurux_dlms.objects import GXDLMSData
from gurux_dlms.secure.GXDLMSSecureNotify import GXDLMSSecureNotify


def main():
    answer, sys.stdout = sys.stdout, sys.stderr  # the library talks on standard output
    request = json.load(sys.stdin)
    notify = GXDLMSSecureNotify(request["referencing"] == "logical-name", 1, 1, InterfaceType.WRAPPER)
    item = GXDLMSData(request["name"])
    item.shortName = request["shortName"]
    item.setDataType(2, DataType.OCTET_STRING)
    item.value = bytes.fromhex(request["value"])
    time = GXDateTime(datetime.datetime.fromtimestamp(request["time"] / 1000, datetime.timezone.utc))
    [frame] = notify.generateReport(time, [(item, 2)])
    answer.write(bytes(frame).hex())


main()
