"""The console: barys' own numbered lines, and bitbake's lines, which also go into the machine's cooker log."""
import os
import sys
import time


class Console:
    def __init__(self, program):
        self.started = time.time()
        self.log_path = os.path.join(os.getcwd(), program + ".log")
        self.keeps_log = False
        self.cooker = None

    def barys(self, text, level="LOG"):
        line = f"[{int(time.time() - self.started):09d}][{level}]{text}\n"
        self._print(line)
        if self.keeps_log:
            with open(self.log_path, "a", encoding="utf-8") as file:
                file.write(line)

    def start_log(self, header):
        self.keeps_log = True
        bar = "=" * 16
        lines = [f"{bar}barys HEADER START{bar}", time.strftime("%a %b %e %H:%M:%S UTC %Y", time.gmtime()), *header, f"{bar}barys HEADER STOP{bar}"]
        with open(self.log_path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

    def open_cooker(self, build, machine):
        directory = os.path.join(build, "tmp/log/cooker", machine)
        os.makedirs(directory, exist_ok=True)
        stamp = time.strftime("%Y%m%d%H%M%S", time.gmtime()) + f"{int(time.time() * 1000) % 1000:03d}"
        path = os.path.join(directory, stamp + ".log")
        self.cooker = open(path, "a", encoding="utf-8")
        latest = os.path.join(directory, "console-latest.log")
        if os.path.lexists(latest):
            os.unlink(latest)
        os.symlink(os.path.basename(path), latest)

    def bitbake(self, *lines):
        for line in lines:
            self._print(line + "\n")
            if self.cooker:
                self.cooker.write(line + "\n")
                self.cooker.flush()

    def _print(self, text):
        sys.stdout.write(text)
        sys.stdout.flush()
