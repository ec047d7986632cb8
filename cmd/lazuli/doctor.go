package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"lazuli/internal/daemon"
)

func doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "Say whether this host can run machines, and what to do if not",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			bad := 0
			for _, f := range daemon.Doctor(cmd.Context(), dataDir(cmd)) {
				mark := "ok"
				switch f.Level {
				case daemon.Warn:
					mark = "warn"
				case daemon.Bad:
					mark = "BAD"
					bad++
				}
				printFinding(cmd.OutOrStdout(), mark, f.About, f.Finding, f.Advice)
			}
			if pid, endpoint, err := running(dataDir(cmd)); err == nil && pid != 0 {
				printFinding(cmd.OutOrStdout(), "ok", "lazuli", fmt.Sprintf("up at %s (process %d)", endpoint, pid), "")
			} else {
				printFinding(cmd.OutOrStdout(), "warn", "lazuli", "not up", "lazuli up")
			}
			if bad > 0 {
				return fmt.Errorf("%d of the findings keep this host from running machines", bad)
			}
			return nil
		},
	}
}

// printFinding prints one thing that was looked at, and below it what to do.
func printFinding(w io.Writer, mark, about, finding, advice string) {
	fmt.Fprintf(w, "%-5s %-18s %s\n", mark, about, finding)
	if advice != "" {
		fmt.Fprintf(w, "%-5s %-18s → %s\n", "", "", advice)
	}
}
