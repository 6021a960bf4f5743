"""Parses Terraform files and checks that what they refer to is there.

Arguments: folders of modules. Prints one line a problem and ends with 1 if there are any. It parses with
python-hcl2: what a provider would say of an argument's name or type is not known here.
"""

import pathlib
import re
import sys

import hcl2

REFERENCE = re.compile(r"\b(var|local|data\.aws_\w+|aws_\w+)\.(\w+)")


def named(blocks, prefix=""):
    for block in blocks:
        for kind, bodies in block.items():
            for name in bodies:
                yield f"{prefix}{kind}.{name}".replace('"', "")


def main():
    problems = []
    for folder in sys.argv[1:]:
        declared, used = set(), set()
        for path in sorted(pathlib.Path(folder).glob("*.tf")):
            text = path.read_text()
            try:
                tree = hcl2.loads(text)
            except Exception as error:
                problems.append(f"{path}: {error}")
                continue
            declared.update(f"var.{name}".replace('"', "") for block in tree.get("variable", []) for name in block)
            locals_ = (name for block in tree.get("locals", []) for name in block)
            declared.update(f"local.{name}" for name in locals_ if name != "__is_block__")
            declared.update(named(tree.get("resource", [])))
            declared.update(named(tree.get("data", []), "data."))
            code = re.sub(r"#.*", "", text)
            code = re.sub(r'(resource|data|variable|output) "\w+"( "\w+")? \{', "", code)
            used.update(f"{kind}.{name}" for kind, name in REFERENCE.findall(code))
        problems += [f"{folder}: {name} is not declared" for name in sorted(used - declared)]
        unused = {name for name in declared - used if not name.startswith("aws_")}
        problems += [f"{folder}: {name} is not used" for name in sorted(unused)]
    print("\n".join(problems))
    sys.exit(1 if problems else 0)


main()
