"""Runs az for many commands at the price of one start: fork.py AZ SOCKET.

A connection to the socket asks for one command, by a message of JSON with its
arguments, environment and directory, and with its three files; the answer is
the code that it ended with. A command is a fork of this process that goes on
as AZ, the program that is installed. It finds the Python modules loaded that
commands before it loaded, but none of az itself: those are its state and look
at the environment, so each command loads them anew.

A command whose connection closes is killed, and so are all when standard
input ends.
"""

import atexit
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys

AZ, SOCKET = sys.argv[1:]
LONGEST = 1 << 20  # of a message


def shared():
    return {m for m in sys.modules if m != 'azure.cli' and not m.startswith('azure.cli.')}


class Command:
    """One that runs."""

    def __init__(self, server, pid, connection):
        self.server, self.pid, self.connection = server, pid, connection
        self.process = os.pidfd_open(pid)
        server.ready.register(self.process, selectors.EVENT_READ, self.ended)
        server.ready.register(connection, selectors.EVENT_READ, self.kill)

    def kill(self):
        if self.connection in self.server.ready.get_map():
            self.server.ready.unregister(self.connection)
            os.killpg(self.pid, signal.SIGKILL)

    def ended(self):
        self.server.ready.unregister(self.process)
        if self.connection in self.server.ready.get_map():
            self.server.ready.unregister(self.connection)
        _, status = os.waitpid(self.pid, 0)
        try:
            self.connection.send(str(os.waitstatus_to_exitcode(status)).encode())
        except OSError:
            pass  # nobody waits any more
        self.close()
        self.server.running.remove(self)

    def close(self):
        os.close(self.process)
        self.connection.close()


class Server:
    def __init__(self):
        self.known, self.running = shared(), set()
        self.loaded, self.tell = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.tell.setblocking(False)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(SOCKET)
        self.listener.listen()
        self.ready = selectors.DefaultSelector()
        self.ready.register(self.listener, selectors.EVENT_READ, self.start)
        self.ready.register(self.loaded, selectors.EVENT_READ, self.load)
        self.ready.register(sys.stdin, selectors.EVENT_READ, self.end)

    def serve(self):
        """Returns in each process that is to go on as AZ."""
        while True:
            for key, _ in self.ready.select():
                if key.data() == 'in the child':
                    return

    def start(self):
        connection, _ = self.listener.accept()
        message, files, _, _ = socket.recv_fds(connection, LONGEST, 3)
        if len(files) != 3:
            connection.close()
            return None
        pid = os.fork()
        if pid == 0:
            os.setpgid(0, 0)
            connection.close()
            self.become(json.loads(message), files)
            return 'in the child'
        os.setpgid(pid, pid)
        for file in files:
            os.close(file)
        self.running.add(Command(self, pid, connection))
        return None

    def become(self, request, files):
        """Makes this process what one is that starts AZ."""
        for command in self.running:
            command.close()
        for own in self.listener, self.loaded, self.ready:
            own.close()
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        os.environ.clear()
        os.environ.update(request['Env'])
        os.chdir(request['Dir'])
        sys.argv = [AZ, *request['Args']]
        sys.path[0] = os.path.dirname(os.path.realpath(AZ))
        atexit.register(self.report)

    def report(self):
        try:
            self.tell.send(json.dumps(sorted(shared() - self.known)).encode())
        except OSError:
            pass  # another command will

    def load(self):
        """Has the commands to come find what one loaded."""
        for module in json.loads(self.loaded.recv(LONGEST)):
            if module not in self.known:
                self.known.add(module)
                try:
                    importlib.import_module(module)
                except Exception:
                    pass  # it is none to be had alone
        for module in sys.modules.keys() - shared():
            del sys.modules[module]
        self.known |= shared()
        gc.freeze()

    def end(self):
        for command in list(self.running):
            command.kill()
        sys.exit()


if __name__ == '__main__':
    server = Server()
    os.write(1, b'.')  # up
    server.serve()
    runpy.run_path(AZ, run_name='__main__')
