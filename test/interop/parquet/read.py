"""Reads Parquet files with one reader and compares every value, and what filters find, with what is expected.

read.py READER FILE EXPECTED [FILE EXPECTED]...  prints a JSON object a file: {file, ok, problems, limits}
"""

import datetime
import json
import math
import struct
import sys
from decimal import Context, Decimal

EPOCH = datetime.date(1970, 1, 1)
EPOCH_TIME = datetime.datetime(1970, 1, 1)
NANOSECOND_DAYS = range(-106751, 106752)
# Columns that queries look rows up by.
FILTERED = ("event_id", "dlq_id", "id", "text", "big")


class Limit(Exception):
    """A reader cannot do this by its own documentation, whoever wrote the file."""


def canonical(field, value):
    """A reader's value in the form of expected.ts."""
    kind = field["kind"]
    if is_missing(value):
        return None
    if kind == "bool":
        return bool(value)
    if kind in ("int32", "int64") or kind in ("date", "timestamp") and isinstance(value, int):
        return str(int(value))
    if kind == "float64":
        return struct.pack(">d", float(value)).hex()
    if kind == "decimal":
        return decimal_text(value, int(field["scale"])) if isinstance(value, Decimal) else value
    if kind == "date":
        if isinstance(value, datetime.datetime):
            value = value.date()
        return str((value - EPOCH).days)
    if kind == "timestamp":
        if value.tzinfo is not None:
            value = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
        delta = value - EPOCH_TIME
        return str((delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds)
    if kind == "utf8":
        return value.decode("utf-8") if isinstance(value, bytes) else str(value)
    if kind == "binary":
        return bytes(value).hex()
    if kind == "list":
        return [canonical(field["item"], item) for item in value]
    if kind == "struct":
        values = value.asDict() if hasattr(value, "asDict") else value
        return {each["name"]: canonical(each, values[each["name"]]) for each in field["fields"]}
    raise ValueError(kind)


def decimal_text(value, scale):
    """With all digits of the scale: readers may give fewer, or more zeros."""
    text = value.quantize(Decimal(1).scaleb(-scale), context=Context(prec=60))
    return format(text if text == value else value, "f")


def is_missing(value):
    return value is None or type(value).__name__ in ("NaTType", "NAType")


def near(got, want):
    return got is not None and want is not None and math.isclose(got, float(want), rel_tol=1e-14)


def is_nan(value):
    return isinstance(value, float) and math.isnan(value)


class PyArrow:
    def __init__(self, path):
        import pyarrow.parquet as pq

        self.path, self.pq = path, pq
        self.table = pq.read_table(path, partitioning=None)

    def column(self, field):
        return self.table.column(field["name"]).to_pylist()

    def count(self, field, value):
        name = field["name"]
        return self.pq.read_table(self.path, partitioning=None, columns=[name], filters=[(name, "==", value)]).num_rows

    def notes(self):
        """What the footer says that a reader may rely on."""
        metadata = self.pq.ParquetFile(self.path).metadata
        problems = []
        for g in range(metadata.num_row_groups):
            group = metadata.row_group(g)
            for c in range(group.num_columns):
                chunk = group.column(c)
                scalar = "." not in chunk.path_in_schema and chunk.physical_type != "DOUBLE"
                if scalar and (chunk.statistics is None or chunk.statistics.null_count is None):
                    problems.append(f"row group {g} does not count the nulls of {chunk.path_in_schema}")
            names = [group.column(sorting.column_index).path_in_schema for sorting in group.sorting_columns]
            rows = self.pq.ParquetFile(self.path).read_row_group(g, columns=names).to_pylist() if names else []
            keys = [tuple((row[name] is None, row[name]) for name in names) for row in rows]
            if keys != sorted(keys):
                problems.append(f"row group {g} is not sorted by {', '.join(names)}")
        return problems


class Polars:
    def __init__(self, path):
        import polars

        self.path, self.polars = path, polars
        self.frame = polars.read_parquet(path, hive_partitioning=False)

    def column(self, field):
        return self.frame.get_column(field["name"]).to_list()

    def count(self, field, value):
        scan = self.polars.scan_parquet(self.path, hive_partitioning=False)
        return scan.filter(self.polars.col(field["name"]) == value).collect().height


class DuckDb:
    def __init__(self, path):
        import duckdb

        self.path, self.connection = path, duckdb.connect()
        self.connection.execute("SET TimeZone = 'UTC'")

    def column(self, field):
        return [row[0] for row in self.connection.execute(f'SELECT "{field["name"]}" FROM {self.source()}').fetchall()]

    def count(self, field, value):
        sql = f'SELECT count(*) FROM {self.source()} WHERE "{field["name"]}" = ?'
        return self.connection.execute(sql, [value]).fetchone()[0]

    def source(self):
        return f"read_parquet('{self.path}', hive_partitioning = false)"


class FastParquet:
    def __init__(self, path):
        import fastparquet

        self.file = fastparquet.ParquetFile(path)

    def column(self, field):
        if contains(field, "struct"):
            raise Limit("fastparquet does not put structs, and lists of them, together again")
        if field["kind"] == "date" and any(value is not None and int(value) not in NANOSECOND_DAYS for value in self.expected):
            raise Limit("fastparquet has dates in nanoseconds, which hold the years 1677 to 2262 only")
        values = list(self.file.to_pandas(columns=[field["name"]])[field["name"]])
        if field["kind"] == "decimal":
            # pandas has doubles for decimals, and fastparquet multiplies: right is what is near.
            doubles = [None if is_nan(value) else float(value) for value in values]
            return [Decimal(want) if near(got, want) else got for got, want in zip(doubles, self.expected)]
        if field["kind"] == "float64":
            # pandas has NaN for the nulls of doubles.
            return [None if want is None and is_nan(value) else value for value, want in zip(values, self.expected)]
        if field["kind"] in ("date", "timestamp"):
            return [None if is_missing(value) else value.to_pydatetime() for value in values]
        return [None if is_nan(value) else value for value in values]

    def count(self, field, value):
        # Row groups by their bounds; fastparquet's filter of rows fails on integers with nulls.
        frame = self.file.to_pandas(columns=[field["name"]], filters=[(field["name"], "==", value)])
        return sum(not is_missing(got) and not is_nan(got) and got == value for got in frame[field["name"]])


class ClickHouse:
    def __init__(self, path):
        import chdb

        self.path, self.chdb = path, chdb

    def column(self, field):
        if contains(field, "date") or contains(field, "timestamp"):
            self.raise_if_outside(field)
        if contains(field, "list") or contains(field, "struct"):
            raise_if_nested_null(field, self.expected)
        if field["kind"] == "binary":
            sql = f'SELECT lower(hex("{field["name"]}")) AS value, isNull("{field["name"]}") AS missing FROM {self.source()}'
            return [None if row["missing"] else bytes.fromhex(row["value"]) for row in self.query(sql).to_pylist()]
        return self.query(f'SELECT "{field["name"]}" AS value FROM {self.source()}').column("value").to_pylist()

    def count(self, field, value):
        literal = str(value) if field["kind"] in ("int32", "int64") else "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
        return self.query(f'SELECT count() AS n FROM {self.source()} WHERE "{field["name"]}" = {literal}').column("n").to_pylist()[0]

    def source(self):
        return f"file('{self.path}', Parquet)"

    def query(self, sql):
        return self.chdb.query(f"{sql} SETTINGS output_format_arrow_string_as_string = 1, session_timezone = 'UTC'", "ArrowTable")

    def raise_if_outside(self, field):
        low, high = (-25567, 120530)
        scale = 1 if field["kind"] == "date" else 86_400_000_000
        for value in self.expected:
            if isinstance(value, str) and not low * scale <= int(value) < high * scale:
                raise Limit("ClickHouse has dates and times from 1900 to 2299 only")


class Spark:
    session = None

    def __init__(self, path):
        from pyspark.sql import SparkSession

        if Spark.session is None:
            builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
            builder = builder.config("spark.sql.session.timeZone", "UTC").config("spark.driver.bindAddress", "127.0.0.1")
            builder = builder.config("spark.driver.host", "127.0.0.1").config("spark.sql.shuffle.partitions", "1")
            Spark.session = builder.getOrCreate()
            Spark.session.sparkContext.setLogLevel("OFF")
        self.frame = Spark.session.read.parquet(path)
        # Python's own times end before the year 1 in some zones: Spark counts days and microseconds itself.
        counted = {"timestamp": "unix_micros", "date": "unix_date"}
        self.rows = self.frame.selectExpr(
            *(f"{counted[kind]}(`{name}`) AS `{name}`" if kind in counted else f"`{name}`" for name, kind in self.frame.dtypes)
        ).collect()

    def column(self, field):
        return [row[field["name"]] for row in self.rows]

    def count(self, field, value):
        from pyspark.sql.functions import col, lit

        return self.frame.filter(col(field["name"]) == lit(value)).count()


READERS = {
    "pyarrow": PyArrow,
    "polars": Polars,
    "duckdb": DuckDb,
    "fastparquet": FastParquet,
    "clickhouse": ClickHouse,
    "spark": Spark,
}


def contains(field, kind):
    if field["kind"] == kind:
        return True
    if field["kind"] == "list":
        return contains(field["item"], kind)
    return any(contains(each, kind) for each in field.get("fields", []))


def raise_if_nested_null(field, expected):
    def has_null(own, value):
        if own["kind"] == "list":
            return value is None or any(has_null(own["item"], item) for item in value)
        if own["kind"] == "struct":
            return value is None or any(has_null(each, value[each["name"]]) for each in own["fields"])
        return False

    if any(has_null(field, value) for value in expected):
        raise Limit("ClickHouse has no null lists and tuples, and reads them as empty ones")


def compare(field, expected, values):
    """What differs, as text; None if nothing does."""
    if len(values) != len(expected):
        return f"{field['name']}: {len(values)} rows, not {len(expected)}"
    for row, (value, want) in enumerate(zip(values, expected)):
        got = canonical(field, value)
        if got != want:
            return f"{field['name']}, row {row}: {got!r}, not {want!r}"
    return None


def check(reader, path, expected_path):
    with open(expected_path, encoding="utf-8") as text:
        expected = json.load(text)
    problems, limits = [], set()
    opened = READERS[reader](path)
    if hasattr(opened, "notes"):
        problems += opened.notes()
    for i, field in enumerate(expected["fields"]):
        own = [row[i] for row in expected["rows"]]
        opened.expected = own
        try:
            difference = compare(field, own, opened.column(field))
            if difference is not None:
                problems.append(difference)
            problems += filters(opened, field, own)
        except Limit as limit:
            limits.add(str(limit))
        except Exception as error:
            problems.append(f"{field['name']}: {type(error).__name__}: {str(error)[:300]}")
    return {"file": path, "ok": not problems, "problems": problems[:5], "limits": sorted(limits)}


def filters(opened, field, expected):
    """A filter on the least, the greatest and a middle value: readers skip row groups by their bounds."""
    if field["name"] not in FILTERED:
        return []
    values = sorted({value for value in expected if value is not None}, key=(str if field["kind"] == "utf8" else int))
    problems = []
    for value in {values[0], values[-1], values[len(values) // 2]} if values else ():
        found = opened.count(field, value if field["kind"] == "utf8" else int(value))
        if found != expected.count(value):
            problems.append(f"{field['name']} = {value!r} finds {found} rows, not {expected.count(value)}")
    return problems


def main():
    reader, *paths = sys.argv[1:]
    for path, expected in zip(paths[::2], paths[1::2]):
        try:
            result = check(reader, path, expected)
        except Exception as error:
            result = {"file": path, "ok": False, "problems": [f"{type(error).__name__}: {str(error)[:300]}"], "limits": []}
        print(json.dumps(result), flush=True)


main()
