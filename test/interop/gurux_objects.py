"""Attributes of COSEM objects through the Python package gurux-dlms.

Reads one line of JSON for each attribute, {"classId", "version", "attributeId", "hex"}: Data in A-XDR. The package parses
it, puts it into an object of its own and encodes that attribute again. Answers one line each: {"hex"} or {"error"}.
"""

import json
import sys

from gurux_dlms import GXByteBuffer, GXDLMSClient, ValueEventArgs
from gurux_dlms.enums import DataType, ObjectType
from gurux_dlms.GXDLMSServer import GXDLMSServer
from gurux_dlms.internal._GXCommon import _GXCommon
from gurux_dlms.internal._GXDataInfo import _GXDataInfo
from gurux_dlms.enums import InterfaceType
from gurux_dlms._GXObjectFactory import _GXObjectFactory


def through(settings, one):
    obj = _GXObjectFactory.createObject(ObjectType(one["classId"]))
    obj.version = one["version"]
    index = one["attributeId"]
    value = _GXCommon.getData(settings, GXByteBuffer(bytes.fromhex(one["hex"])), _GXDataInfo())
    given = ValueEventArgs(settings, obj, index)
    given.value = value
    obj.setValue(settings, given)
    if given.error:
        raise ValueError(f"set refused: {given.error}")
    asked = ValueEventArgs(settings, obj, index)
    found = obj.getValue(settings, asked)
    if asked.error:
        raise ValueError(f"get refused: {asked.error}")
    kind = obj.getDataType(index)
    if kind in (DataType.ARRAY, DataType.STRUCTURE) and isinstance(found, (bytes, bytearray, GXByteBuffer)):
        return bytes(found.array() if isinstance(found, GXByteBuffer) else found)
    buffer = GXByteBuffer()
    _GXCommon.setData(settings, buffer, kind, found)
    return bytes(buffer.array())


def main():
    server = GXDLMSServer(True, InterfaceType.WRAPPER)
    for line in sys.stdin:
        try:
            answer = {"hex": through(server.settings, json.loads(line)).hex()}
        except Exception as error:  # pylint: disable=broad-except
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
