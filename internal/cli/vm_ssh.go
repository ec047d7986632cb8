package cli

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

const vmSSHLong = `Log in to a virtual machine with ssh, as the user that it was created with.

What follows -- is run there instead of a shell. The key is the one whose public
half the machine was created with, if it is in ~/.ssh or was made by lazuli.
Host keys are remembered by machine, not by address, so that an address that was
another machine's before raises no alarm.`

func vmSSHCommand(a *app) *cobra.Command {
	var user, identity string
	var show bool
	cmd := &cobra.Command{
		Use: "ssh NAME [-- COMMAND…]", Short: "Log in to a virtual machine", Long: vmSSHLong,
		Example:           example("lazuli vm ssh web1", "lazuli vm ssh web1 -- uname -a"),
		Args:              Args(1, -1, "NAME"),
		ValidArgsFunction: a.completeVMs,
		RunE: a.run(func(ctx context.Context, c *cloud, cmd *cobra.Command, args []string) error {
			if len(args) > 1 && cmd.ArgsLenAtDash() != 1 {
				return usageError{fmt.Sprintf("unexpected argument %q: put -- before the command to run", args[1])}
			}
			m, err := a.findMachine(ctx, c, args[0])
			if err != nil {
				return err
			}
			line, err := sshLine(m, c.keyring(), user, identity, args[1:])
			if err != nil {
				return fmt.Errorf("ssh to %s: %w", m.name(), err)
			}
			if show {
				fmt.Fprintln(cmd.OutOrStdout(), quoted(line))
				return nil
			}
			return execute(line)
		}),
	}
	cmd.Flags().StringVarP(&user, "user", "u", "", "log in as this user")
	cmd.Flags().StringVarP(&identity, "identity", "i", "", "`file` with the private key")
	cmd.Flags().BoolVar(&show, "print", false, "print the ssh command instead of running it")
	return cmd
}

// sshLine is the command line that logs in to the machine.
func sshLine(m *machine, keys keyring, user, identity string, command []string) ([]string, error) {
	if p := m.state(); p == "stopped" || p == "deallocated" {
		return nil, &problem{code: exitConflict, text: "it is " + p, next: "Start it: lazuli vm start " + m.name()}
	}
	if len(m.publicIPs) == 0 {
		return nil, &problem{code: exitError, text: "it has no public address", next: "Its serial console works without: lazuli vm console " + m.name()}
	}
	o := m.properties().OSProfile
	if user == "" && o != nil {
		user = value(o.AdminUsername)
	}
	if identity == "" {
		identity = keys.private(m.publicKeys())
	}
	if err := os.MkdirAll(keys.own, 0o700); err != nil {
		return nil, fmt.Errorf("remember host keys: %w", err)
	}
	line := []string{"ssh",
		"-o", "StrictHostKeyChecking=accept-new",
		"-o", "UserKnownHostsFile=" + filepath.Join(keys.own, "known_hosts"),
		"-o", "HostKeyAlias=" + m.alias(),
		"-o", "CheckHostIP=no",
		// sshd may come up a little later than the machine is ready.
		"-o", "ConnectTimeout=5", "-o", "ConnectionAttempts=30",
	}
	if identity != "" {
		line = append(line, "-i", identity)
	}
	if user != "" {
		line = append(line, "-l", user)
	}
	return append(append(line, m.publicIPs[0]), command...), nil
}

// alias names the machine among the known hosts: another of the same name is
// another.
func (m *machine) alias() string {
	if id := value(m.properties().VMID); id != "" {
		return id
	}
	return strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(value(m.ID), "/"), "/", "."))
}

func (m *machine) publicKeys() []string {
	o := m.properties().OSProfile
	if o == nil || o.LinuxConfiguration == nil || o.LinuxConfiguration.SSH == nil {
		return nil
	}
	var keys []string
	for _, k := range o.LinuxConfiguration.SSH.PublicKeys {
		keys = append(keys, value(k.KeyData))
	}
	return keys
}

// quoted is a command line for a shell.
func quoted(line []string) string {
	q := make([]string, len(line))
	for i, s := range line {
		if q[i] = s; s == "" || strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=./:@,+") != "" {
			q[i] = "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
		}
	}
	return strings.Join(q, " ")
}

// execute becomes the command, so that the terminal, signals and the exit code
// are its own.
func execute(line []string) error {
	path, err := exec.LookPath(line[0])
	if err != nil {
		return &advised{err, "Install it: apt-get install openssh-client"}
	}
	return fmt.Errorf("run %s: %w", path, syscall.Exec(path, line, os.Environ()))
}
