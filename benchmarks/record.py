"""Record what a chapter shows and is too long, or too machine-dependent, to compute in it.

    python benchmarks/record.py 3-5-1

runs the recorders of that chapter one after the other; each writes a file in book/data, which the
chapter reads. The options of a single recorder, such as another number of repeats or one part only,
are in its own help: python benchmarks/record_digits.py --help
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
RECORDERS = {
    "3-1": [["record_chapter_3_1.py"]],
    "3-5-1": [["record_digits.py"], ["record_chapter_3_5_1.py"]],
    "3-5-2": [["record_gpu.py"]],
    "3-6": [["record_chapter_3_6.py"], ["augmentation.py", "--save"]],
    "3-6-2": [["record_transfer.py"]],
    "3-7-1": [["record_chapter_3_7_1.py"]],
    "3-7": [["record_chapter_3_7.py"], ["record_chapter_3_7_1.py"]],
    "3-8-1": [["record_chapter_3_8_1.py"]],
    # All but some parts of the first need real hearts, which CONVBOOK_HEARTS names.
    "3-8": [
        ["record_chapter_3_8.py"],
        ["record_heart.py", "--splits", "3", "--save"],
        ["record_heart.py", "--folds", "3", "--save"],
    ],
    "3-9-1": [["record_chapter_3_9_1.py"]],
    "3-9": [["record_chapter_3_9.py"]],
    # Its part about a real street needs weights and frames; see the script.
    "3-10-1": [["record_chapter_3_10_1.py"]],
    "3-10-2": [["record_chapter_3_10_2.py"]],
    "3-10": [["record_chapter_3_10.py"]],
    "speed": [["run.py"]],
}


def main(arguments):
    """Record for the chapter that is named; return the exit status."""
    if len(arguments) != 1 or arguments[0] not in RECORDERS:
        asked = f"There is nothing to record for {arguments[0]!r}. " if any(arguments) else ""
        print(f"{asked}Choose one: make record CHAPTER=…", file=sys.stderr)
        for chapter, commands in RECORDERS.items():
            scripts = ", ".join(" ".join(command) for command in commands)
            print(f"  {chapter:<6} {scripts}", file=sys.stderr)
        return 2
    for script, *options in RECORDERS[arguments[0]]:
        print(f"Running benchmarks/{script}.", flush=True)
        status = subprocess.run([sys.executable, HERE / script, *options]).returncode
        if status:
            return status
    print("Recorded. The chapter shows it after `make notebooks`.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
