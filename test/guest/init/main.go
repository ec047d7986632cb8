// Command init is the whole user space of the tiny guest that the end-to-end
// tests boot. To the platform it looks like a minimal guest of Azure: DHCP, the
// provisioning medium, IMDS, the wireserver, SSH; and it has a workload that
// tells which writes it was promised to be durable.
//
// As process 1 it is the guest. Under any other name than that it is a command,
// which asks process 1 to do the work.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if os.Getpid() == 1 {
		run()
		return
	}
	if err := command(filepath.Base(os.Args[0]), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", filepath.Base(os.Args[0]), err)
		os.Exit(1)
	}
}

// logf writes to the serial port, where the host reads it.
func logf(format string, args ...any) {
	fmt.Fprintf(os.Stdout, "guest: "+format+"\n", args...)
}

// must ends the guest: the kernel panics when process 1 ends, and the serial
// log says why.
func must(what string, err error) {
	if err != nil {
		logf("%s: %v", what, err)
		os.Exit(1)
	}
}
