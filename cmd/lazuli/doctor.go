package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"lazuli/internal/cli"
	"lazuli/internal/daemon"
)

func doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "Say whether this host can run machines, and what to do if not",
		Args: cli.Args(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := cli.CheckOutput(cmd); err != nil {
				return err
			}
			var findings []daemon.Finding
			err := cli.During(cmd, "looking at this host, and trying out QEMU", func() error {
				findings = append(daemon.Doctor(cmd.Context(), dataDir(cmd)), daemonFinding(dataDir(cmd)))
				return cmd.Context().Err()
			})
			if err != nil {
				return err
			}
			if err := cli.Print(cmd, findings, func(w io.Writer) { printFindings(w, findings) }); err != nil {
				return err
			}
			bad := 0
			for _, f := range findings {
				if f.Level == daemon.Bad {
					bad++
				}
			}
			if bad > 0 {
				return fmt.Errorf("%d of the findings keep this host from running machines", bad)
			}
			return nil
		},
	}
}

// daemonFinding is whether a cloud is up.
func daemonFinding(dir string) daemon.Finding {
	d, err := running(dir)
	switch {
	case err != nil:
		return daemon.Finding{About: "lazuli", Finding: err.Error(), Level: daemon.Warn}
	case d == nil:
		return daemon.Finding{About: "lazuli", Finding: "not up", Advice: "lazuli up", Level: daemon.Warn}
	}
	return daemon.Finding{About: "lazuli", Finding: fmt.Sprintf("up at %s (process %d)", d.Endpoint, d.PID)}
}

// printFindings prints what was looked at, and below each thing what to do.
func printFindings(w io.Writer, findings []daemon.Finding) {
	for _, f := range findings {
		mark := f.Level.String()
		if f.Level == daemon.Bad {
			mark = "BAD"
		}
		fmt.Fprintf(w, "%-5s %-18s %s\n", mark, f.About, f.Finding)
		if f.Advice != "" {
			fmt.Fprintf(w, "%-5s %-18s → %s\n", "", "", f.Advice)
		}
	}
}
