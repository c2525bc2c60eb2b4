"""Reads simulated meters with a Python client, round robin over all of them in one thread; or does a raw ping-pong over
blocking sockets. A JSON request on standard input, a JSON answer on standard output: {"done", "cpuSeconds", "seconds"}.
"""

import datetime
import json
import pathlib
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "interop"))

ZONE = datetime.timezone.utc


def gurux(request):
    from gurux_client import Reader, entries_of
    from gurux_dlms.objects import GXDLMSClock, GXDLMSProfileGeneric, GXDLMSRegister

    def kept(meter, counter):
        reader = Reader(meter, counter)
        reader.associate()
        register = GXDLMSRegister(request["registers"][0])

        def read():
            reader.read(register, 2)
            assert register.value is not None

        return read

    def whole(meter, counter):
        def read():
            reader = Reader(meter, counter())
            reader.associate()
            reader.read(GXDLMSClock("0.0.1.0.0.255"), 2)
            profile = GXDLMSProfileGeneric(request["profile"])
            reader.read(profile, 3)
            reader.read(profile, 4)
            start, end = (datetime.datetime.fromtimestamp(at / 1000, ZONE) for at in (request["from"], request["to"]))
            reply = reader.ask(reader.client.readRowsByRange(profile, start, end))
            reader.client.updateValue(profile, 2, reply.value)
            assert len(entries_of(profile)) == request["entries"]
            for name in request["registers"]:
                register = GXDLMSRegister(name)
                reader.read(register, 3)
                reader.read(register, 2)
            reader.release()

        return read

    return kept, whole


def dlms_cosem(request):
    from dlms_cosem import utils
    from dlms_cosem.cosem.capture_object import CaptureObject
    from dlms_cosem.cosem.selective_access import RangeDescriptor
    from dlms_cosem.parsers import ProfileGenericBufferParser
    from dlms_cosem.time import datetime_from_bytes
    from dlms_cosem_client import Interface, attribute, client_of

    def reading(client):
        return lambda interface, name, number: utils.parse_as_dlms_data(client.get(attribute(interface, name, number)))

    def kept(meter, counter):
        client = client_of(meter, counter)
        client.connect()
        client.associate()
        value = attribute(Interface.REGISTER, request["registers"][0], 2)

        def read():
            assert utils.parse_as_dlms_data(client.get(value)) is not None

        return read

    def whole(meter, counter):
        def read():
            with client_of(meter, counter()).session() as client:
                get = reading(client)
                datetime_from_bytes(get(Interface.CLOCK, "0.0.1.0.0.255", 2))
                columns = [
                    attribute(Interface(class_id), ".".join(map(str, bytes(obis))), number)
                    for class_id, obis, number, _ in get(Interface.PROFILE_GENERIC, request["profile"], 3)
                ]
                period = get(Interface.PROFILE_GENERIC, request["profile"], 4)
                start, end = (datetime.datetime.fromtimestamp(at / 1000, ZONE) for at in (request["from"], request["to"]))
                clock = CaptureObject(cosem_attribute=attribute(Interface.CLOCK, "0.0.1.0.0.255", 2), data_index=0)
                selection = RangeDescriptor(restricting_object=clock, from_value=start, to_value=end)
                buffer = client.get(attribute(Interface.PROFILE_GENERIC, request["profile"], 2), selection)
                rows = ProfileGenericBufferParser(capture_objects=columns, capture_period=period // 60).parse_bytes(buffer)
                assert len(rows) == request["entries"]
                for name in request["registers"]:
                    get(Interface.REGISTER, name, 3)
                    get(Interface.REGISTER, name, 2)

        return read

    return kept, whole


def raw(request):
    """Kept connections, one turn a read; or a connection for each script of turns."""
    script = request["script"]
    frames = [bytes(length) for length, _ in script]

    def exchange(line):
        for frame, (_, wanted) in zip(frames, script):
            line.sendall(frame)
            while wanted > 0:
                wanted -= len(line.recv(65536))

    def connect():
        line = socket.create_connection(("127.0.0.1", request["port"]))
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return line

    def kept(_meter, _counter):
        line = connect()
        return lambda: exchange(line)

    def whole(_meter, _counter):
        def read():
            with connect() as line:
                exchange(line)

        return read

    return kept, whole


CLIENTS = {"gurux-dlms": gurux, "dlms-cosem": dlms_cosem, "raw": raw}


def main():
    answer, sys.stdout = sys.stdout, sys.stderr  # a library talks on standard output
    request = json.load(sys.stdin)
    kept, whole = CLIENTS[request["client"]](request)
    counters = [request["counter"]] * len(request["meters"])

    def drawn(at):
        def next_counter():
            counters[at] += 100
            return counters[at]

        return next_counter

    lanes = [
        kept(meter, request["counter"]) if request["kept"] else whole(meter, drawn(at))
        for at, meter in enumerate(request["meters"])
    ]

    def run(seconds):
        done, end = 0, time.perf_counter() + seconds
        while time.perf_counter() < end:
            for read in lanes:
                read()
            done += len(lanes)
        return done

    run(request["warmUpMs"] / 1000)
    cpu, begun = time.process_time(), time.perf_counter()
    done = run(request["measureMs"] / 1000)
    used, seconds = time.process_time() - cpu, time.perf_counter() - begun
    json.dump({"done": done, "cpuSeconds": used, "seconds": seconds}, answer)


main()
