"""Confluent's own client for Python against the registry."""
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError
from events import KEY, URL, expect

client = SchemaRegistryClient({"url": f"{URL}/registry", "basic.auth.user.info": f"any:{KEY}"})
subject = "orders-value"

latest = client.get_latest_version(subject)
expect("subjects", subject in client.get_subjects(), True)
expect("versions", client.get_versions(subject)[-1], latest.version)
expect("one version", client.get_version(subject, 1).version, 1)
expect("by id", client.get_schema(latest.schema_id).schema_type, "AVRO")
expect("look up", client.lookup_schema(subject, latest.schema).version, latest.version)
expect("look up, normalized", client.lookup_schema(subject, latest.schema, True).version, latest.version)
expect("register what is released", client.register_schema(subject, latest.schema), latest.schema_id)
expect("compatibility", client.test_compatibility(subject, latest.schema), True)
expect("level", client.get_compatibility(subject), "FULL_TRANSITIVE")
expect("level of all", client.get_compatibility(), "FULL_TRANSITIVE")
other = Schema('{"type":"record","name":"Other","fields":[{"name":"a","type":"int"}]}', "AVRO")
for what, call, code in [
    ("register another", lambda: client.register_schema(subject, other), 42205),
    ("a subject that is none", lambda: client.get_latest_version("nope-value"), 40401),
    ("a version that is none", lambda: client.get_version(subject, 999), 40402),
    ("a schema that is none", lambda: client.lookup_schema(subject, other), 40403),
    ("an id that is none", lambda: client.get_schema(7), 40403),
]:
    try:
        call()
        raise SystemExit(f"{what}: nothing was refused")
    except SchemaRegistryError as error:
        expect(what, error.error_code, code)
