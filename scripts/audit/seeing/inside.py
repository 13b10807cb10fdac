"""What a container shows of itself: a program that its own image has tells, so that nothing is added to a pod."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from scripts.audit.facts import Inside

Execute = Callable[[Sequence[str]], str]
"""Runs an argv in a container and returns what it printed, whatever its exit code; of a program that is not there, something else."""

MARK = "audit-write"
TRY = f"/.{MARK}"
"""The file that a read-only root refuses. It is taken away at once where it could be made."""
CONNECT_SECONDS = 2
_WORDS = {"Read-only file system": "EROFS", "Permission denied": "EACCES"}

_PYTHON = f"""
import errno, os, socket, sys
print(open('/proc/1/status').read())
try:
    open('{TRY}', 'x').close(); os.unlink('{TRY}'); print('write written')
except OSError as error:
    print('write', errno.errorcode.get(error.errno, error.errno))
for where in sys.argv[1:]:
    host, _, port = where.rpartition(':')
    try:
        socket.create_connection((host, int(port)), {CONNECT_SECONDS}).close(); print('connect', where, 'open')
    except OSError as error:
        print('connect', where, 'shut')
"""
_NODE = f"""
const fs = require('fs'), net = require('net');
console.log(fs.readFileSync('/proc/1/status', 'utf8'));
try {{ fs.closeSync(fs.openSync('{TRY}', 'wx')); fs.unlinkSync('{TRY}'); console.log('write written'); }}
catch (error) {{ console.log('write ' + error.code); }}
for (const where of process.argv.slice(1)) {{
  const at = where.lastIndexOf(':');
  const tried = net.connect({{host: where.slice(0, at), port: +where.slice(at + 1), timeout: {CONNECT_SECONDS * 1000}}});
  const end = (how) => () => {{ console.log('connect ' + where + ' ' + how); tried.destroy(); }};
  tried.once('connect', end('open')).once('timeout', end('shut')).once('error', end('shut'));
}}
"""
# Built-in words of the shell alone: an image may have no cat, and where it has no rm, its root is no read-only one anyhow.
_SHELL = f"""
while IFS= read -r line; do echo "$line"; done < /proc/1/status
if (: > {TRY}) 2>/dev/null; then rm -f {TRY}; echo 'write written'; else echo "write $( (: > {TRY}) 2>&1 )"; fi
"""
_BASH = (
    _SHELL
    + f"""
for where in "$@"; do
  if timeout {CONNECT_SECONDS} bash -c "exec 3<>/dev/tcp/${{where%:*}}/${{where##*:}}" 2>/dev/null
  then echo "connect $where open"; else echo "connect $where shut"; fi
done
"""
)
READERS: Mapping[str, Sequence[str]] = {
    "python3": ("python3", "-I", "-S", "-c", _PYTHON),
    "node": ("node", "-e", _NODE),
    "bash": ("bash", "-c", _BASH, "bash"),
    "sh": ("sh", "-c", _SHELL, "sh"),
}


@dataclass(frozen=True)
class Told:
    """What a container told: of itself, and which of the connections that it tried were made; none where it could try none."""

    inside: Inside
    opened: Mapping[str, bool] = field(default_factory=dict)


def look(name: str, execute: Execute, targets: Sequence[str] = ()) -> Told:
    """Look into a container with the first program that it has, which also tries to connect to each `host:port` of the targets."""
    for reader, argv in READERS.items():
        told = parse(name, reader, execute([*argv, *targets]))
        if told:
            return told
    return Told(Inside(name))


def parse(name: str, reader: str, text: str) -> Told | None:
    """Return what a reader has printed; None where it is not what a reader prints, as when there is no such program."""
    lines = text.splitlines()
    status = {key: " ".join(value.split()) for key, colon, value in (line.partition(":") for line in lines) if colon}
    if "Uid" not in status:
        return None
    write = next((_refusal(line.removeprefix("write ")) for line in lines if line.startswith("write ")), "")
    return Told(Inside(name, reader, status, write), dict(_connections(lines)))


def _refusal(text: str) -> str:
    return next((code for words, code in _WORDS.items() if words in text), text)


def _connections(lines: Sequence[str]) -> Iterator[tuple[str, bool]]:
    for line in lines:
        if line.startswith("connect "):
            _, where, how = line.split()
            yield where, how == "open"
