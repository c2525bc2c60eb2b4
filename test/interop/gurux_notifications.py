"""Data-Notifications with gurux-dlms: reads one, and makes one. A JSON request on standard input: {"frame", "clientTitle",
"meterTitle", "unicast", "authenticationKey", "time", "value"}; a JSON answer: {"read": [octets], "made": frame}.
"""

import datetime
import json
import sys

from gurux_dlms import GXByteBuffer, GXReplyData
from gurux_dlms.GXDateTime import GXDateTime
from gurux_dlms.enums import Authentication, DataType, InterfaceType, Security
from gurux_dlms.internal._GXCommon import _GXCommon
from gurux_dlms.secure import GXDLMSSecureClient
from gurux_dlms.secure.GXDLMSSecureNotify import GXDLMSSecureNotify


def ciphered(cipher, title, request):
    cipher.systemTitle = bytes.fromhex(title)
    if "unicast" in request:
        cipher.security = Security.AUTHENTICATION_ENCRYPTION
        cipher.blockCipherKey = bytes.fromhex(request["unicast"])
        cipher.authenticationKey = bytes.fromhex(request["authenticationKey"])
        cipher.invocationCounter = 7


def read(request):
    client = GXDLMSSecureClient(True, 1, 1, Authentication.NONE, None, InterfaceType.WRAPPER)
    ciphered(client.ciphering, request["clientTitle"], request)
    client.serverSystemTitle = bytes.fromhex(request["meterTitle"])
    reply, notify = GXReplyData(), GXReplyData()
    client.getData(GXByteBuffer(bytes.fromhex(request["frame"])), reply, notify)
    return [bytes(value).hex() for value in notify.value]


def made(request):
    notify = GXDLMSSecureNotify(True, 1, 1, InterfaceType.WRAPPER)
    ciphered(notify.settings.cipher, request["meterTitle"], request)
    data = GXByteBuffer()
    data.setUInt8(DataType.STRUCTURE)
    data.setUInt8(1)
    _GXCommon.setData(notify.settings, data, DataType.OCTET_STRING, bytes.fromhex(request["value"]))
    time = GXDateTime(datetime.datetime.fromtimestamp(request["time"] / 1000, datetime.timezone.utc))
    [frame] = notify.generateDataNotificationMessages(time, data)
    return bytes(frame).hex()


def main():
    answer, sys.stdout = sys.stdout, sys.stderr  # the library talks on standard output
    request = json.load(sys.stdin)
    json.dump({"read": read(request), "made": made(request)}, answer)


main()
