"""Both sides of OpenADR 3 by `openadr3`: what a utility's system and what a VEN asks of a VTN.

Arguments: base address, token of the business side, token of the VEN. Prints one JSON object: what each call answered,
read by the package's own models.
"""

import json
import sys

from openadr3.api import OpenADRClient

base, business_token, ven_token = sys.argv[1:4]
business = OpenADRClient(base, token=business_token, client_type="bl")
ven = OpenADRClient(base, token=ven_token, client_type="ven")
seen = {}


def made(name, response):
    seen[name] = response.status_code
    return response.json()


program = made("create program", business.create_program({"programName": "Peak days"}))
made("same name again", business.create_program({"programName": "Peak days"}))
period = {"start": "2030-01-01T00:00:00Z", "duration": "PT1H", "randomizeStart": "PT5M"}
interval = {"id": 0, "payloads": [{"type": "SIMPLE", "values": [2]}]}
event = made(
    "create event",
    business.create_event(
        {"programID": program["id"], "eventName": "cold", "intervalPeriod": period, "intervals": [interval]}
    ),
)
home = made("create ven", ven.create_ven({"objectType": "VEN_VEN_REQUEST", "venName": "home"}))
made(
    "create resource",
    ven.create_resource({"objectType": "VEN_RESOURCE_REQUEST", "resourceName": "heater", "venID": home["id"]}),
)
made(
    "create report",
    ven.create_report(
        {
            "eventID": event["id"],
            "clientName": "home",
            "resources": [
                {"resourceName": "heater", "intervals": [{"id": 0, "payloads": [{"type": "USAGE", "values": [1.5]}]}]}
            ],
        }
    ),
)
subscription = made(
    "create subscription",
    business.create_subscription(
        {
            "clientName": "drms",
            "programID": program["id"],
            "objectOperations": [
                {"objects": ["EVENT"], "operations": ["CREATE"], "callbackUrl": "https://drms.example/told"}
            ],
        }
    ),
)
made("event by a ven", ven.create_event({"programID": program["id"], "intervals": [interval]}))

found = ven.events(programID=program["id"])[0]
duration = found.interval_period.duration
seen["event as read"] = {
    "name": found.event_name,
    "start": found.interval_period.start.isoformat(),
    "seconds": duration.total_seconds(),
    "payloads": [[payload.type, payload.values] for one in found.intervals for payload in one.payloads],
}
seen["programs"] = [one.program_name for one in ven.programs()]
seen["vens"] = [one.ven_name for one in ven.vens()]
seen["resources"] = [one.resource_name for one in ven.resources(venID=home["id"])]
seen["reports"] = [one.client_name for one in business.reports(eventID=event["id"])]
seen["subscriptions"] = [one.client_name for one in business.subscriptions()]
seen["notifiers"] = business.get_notifiers().json()

shorter = {"programID": program["id"], "intervalPeriod": {**period, "duration": "PT30M"}, "intervals": [interval]}
made("update event", business.update_event(event["id"], shorter))
seen["seconds then"] = business.event(event["id"]).interval_period.duration.total_seconds()
made("delete subscription", business.delete_subscription(subscription["id"]))
made("delete event", business.delete_event(event["id"]))
made("event that is gone", business.get_event_by_id(event["id"]))
print(json.dumps(seen, default=str))
