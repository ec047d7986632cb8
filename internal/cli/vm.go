package cli

import "github.com/spf13/cobra"

func vmCommand(a *app) *cobra.Command {
	cmd := parent("vm", "Virtual machines", "")
	cmd.Aliases = []string{"vms"}
	cmd.AddCommand(
		vmCreateCommand(a), vmListCommand(a), vmShowCommand(a), vmDeleteCommand(a),
		vmStartCommand(a), vmStopCommand(a), vmRestartCommand(a), vmDeallocateCommand(a),
		vmSSHCommand(a), vmConsoleCommand(a), vmLogCommand(a),
		vmAttachCommand(a), vmDetachCommand(a), openPortCommand(a),
	)
	return cmd
}
