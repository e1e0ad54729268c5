"""Reads tables of a lake by their pointers with pyarrow, the date by path and by file: prints {"table", "problems"} lines."""
import datetime, json, os, sys
import pyarrow as pa, pyarrow.dataset as ds, pyarrow.parquet as pq

lake = sys.argv[1]


def files_of(table):
    """The live files of a table, as docs/readers.md says."""
    current = json.load(open(f"{lake}/{table}/current.json"))
    files = [f["file"] for f in current.get("files", [])]
    for entry in current["manifests"]:
        for f in json.load(open(f"{lake}/{entry['manifest']}"))["files"]:
            if f.get("kind", "data") == "data" and not f.get("retired", False):
                files.append(f["file"])
    return current["partition_column"], sorted(set(files))


def problems_of(table, expected):
    column, files = files_of(table)
    paths = [f"{lake}/{f}" for f in files]
    hive = ds.partitioning(pa.schema([(column, pa.date32())]), flavor="hive")
    problems = []
    by_path = ds.dataset(paths, partitioning=hive).to_table()
    by_file = pq.read_table(paths, partitioning=None)
    for how, read in (("the path", by_path), ("the file", by_file)):
        counts = {}
        for day in read.column(column).to_pylist():
            counts[str(day)] = counts.get(str(day), 0) + 1
        if counts != expected:
            problems.append(f"rows by date, the date from {how}: {counts}, expected {expected}")
    for date, count in expected.items():
        day = ds.field(column) == datetime.date.fromisoformat(date)
        found = ds.dataset(paths, partitioning=hive).to_table(filter=day).num_rows
        if found != count:
            problems.append(f"a filter on {date} finds {found} of {count} rows")
    for path in paths:
        key = os.path.basename(os.path.dirname(path))
        if "=" not in key:
            continue
        days = set(map(str, pq.read_table(path, partitioning=None).column(column).to_pylist()))
        if not days <= {key.split("=")[1]}:
            problems.append(f"{path} has rows of {days}")
    return problems


for table, expected in json.load(open(sys.argv[2])).items():
    print(json.dumps({"table": table, "problems": problems_of(table, expected)}))
