package main

import (
	"os"
	"os/exec"
	"syscall"
)

// serialShell gives whoever sits at the serial port a shell.
func serialShell() {
	for {
		tty, err := os.OpenFile("/dev/ttyS0", os.O_RDWR, 0)
		if err != nil {
			return
		}
		cmd := exec.Command("/bin/sh", "-l")
		cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
		cmd.Env = []string{"PATH=/bin:/sbin", "HOME=/root", "TERM=linux"}
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
		err = cmd.Run()
		tty.Close()
		if err != nil {
			logf("shell err=%q", err)
			return
		}
	}
}
