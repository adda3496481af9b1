"""A source made with Airbyte's CDK that emits the records in a file, one JSON object per line.

argv: config file ({"records": path}), catalog file
"""

import json
import sys
from typing import Any, Iterable, Mapping

from airbyte_cdk.entrypoint import launch
from airbyte_cdk.models import ConnectorSpecification
from airbyte_cdk.sources import AbstractSource
from airbyte_cdk.sources.streams import Stream


class Incidents(Stream):
    name = "incidents"
    primary_key = "id"

    def __init__(self, path: str):
        super().__init__()
        self.path = path

    def get_json_schema(self) -> Mapping[str, Any]:
        return {"type": "object", "properties": {}}

    def read_records(self, *_args: Any, **_options: Any) -> Iterable[Mapping[str, Any]]:
        with open(self.path) as file:
            for line in file:
                yield json.loads(line)


class Source(AbstractSource):
    def check_connection(self, logger, config):
        return True, None

    def streams(self, config):
        return [Incidents(config["records"])]

    def spec(self, *_args: Any):
        return ConnectorSpecification(connectionSpecification={"type": "object"})


launch(Source(), ["read", "--config", sys.argv[1], "--catalog", sys.argv[2]])
