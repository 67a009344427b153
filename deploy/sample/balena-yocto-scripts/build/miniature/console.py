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
        start, date = "=" * 16 + "barys HEADER START" + "=" * 20, time.strftime("%a %b %e %H:%M:%S UTC %Y", time.gmtime())
        lines = [start, date, *header, "=" * 16 + "barys HEADER STOP" + "=" * 21]
        with open(self.log_path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

    def stop_log(self):
        """The last line of barys.log, which is written without -l, too."""
        with open(self.log_path, "a", encoding="utf-8") as file:
            file.write("=" * 20 + "barys STOP" + "=" * 24 + "\n")

    def plain(self, *lines):
        """What other programs say before bitbake starts."""
        for line in lines:
            self._print(line + "\n")

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
