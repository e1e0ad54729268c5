"""Runs `datacontract test` on a contract and prints its result as one line of JSON."""

import sys

from datacontract.data_contract import DataContract

print(DataContract(data_contract_file=sys.argv[1]).test().model_dump_json(include={"result": True, "checks": True}))
