package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

const azSetupLong = `Print the commands that point az at this cloud, or run them (--apply). They can be
run again. The output has the secret of your credentials in it.

az has to trust the cloud's certificate. Without --system-trust that is said in the
environment, by REQUESTS_CA_BUNDLE: az then trusts that certificate alone, in shells
that have it set. With --system-trust it is added to those of the machine, which
takes root, and which az looks at where it uses the machine's Python, as on Debian.`

// azSetup is how az is to be set up.
type azSetup struct {
	name, profile      string
	apply, systemTrust bool
}

// azPlan is what sets az up.
type azPlan struct {
	Environment map[string]string `json:"environment,omitempty"`
	Commands    [][]string        `json:"commands"`
}

func azSetupCommand(a *app) *cobra.Command {
	o := &azSetup{}
	cmd := &cobra.Command{
		Use: "az-setup", Short: "Point Azure's command line, az, at this cloud", Long: azSetupLong,
		Example: example("lazuli az-setup", "lazuli az-setup --apply", "export REQUESTS_CA_BUNDLE=/var/lib/lazuli/ca.crt; az vm list"),
		Args:    Args(0, 0, ""),
		RunE: a.run(func(ctx context.Context, c *cloud, cmd *cobra.Command, _ []string) error {
			plan, err := o.plan(ctx, c)
			if err != nil {
				return fmt.Errorf("set az up: %w", err)
			}
			if o.apply {
				return o.run(ctx, cmd, plan)
			}
			return a.print(cmd, plan, plan.lines(), plan)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&o.name, "name", "Lazuli", "`name` that az is to have for the cloud")
	f.StringVar(&o.profile, "profile", "", "API `profile` (default 2020-09-01-hybrid for az 2.45, which as Debian has it works with no other; else latest)")
	f.BoolVar(&o.apply, "apply", false, "run the commands")
	f.BoolVar(&o.systemTrust, "system-trust", false, "have the whole machine trust the cloud's certificate")
	return cmd
}

// plan is the commands for a cloud, of what it says about itself.
func (o *azSetup) plan(ctx context.Context, c *cloud) (*azPlan, error) {
	var about struct {
		Graph    string            `json:"microsoftGraphResourceId"`
		Aliases  string            `json:"vmImageAliasDoc"`
		Suffixes map[string]string `json:"suffixes"`
	}
	if err := c.ask(ctx, http.MethodGet, "/metadata/endpoints?api-version=2022-09-01", nil, &about); err != nil {
		return nil, err
	}
	endpoints := map[string]string{"resourceManager": c.Endpoint, "microsoftGraphResourceId": about.Graph}
	if about.Aliases != "" {
		endpoints["vmImageAliasDoc"] = about.Aliases
	}
	// az 2.45 has no flags for some of this, and asks the cloud for the rest.
	config, err := json.Marshal(map[string]any{
		"profile": o.profileOf(ctx), "endpoints": endpoints, "suffixes": map[string]string{"storageEndpoint": about.Suffixes["storage"]},
	})
	if err != nil {
		return nil, err
	}
	p := &azPlan{}
	if c.CAFile != "" && o.systemTrust {
		p.Commands = append(p.Commands,
			[]string{"install", "-m", "644", c.CAFile, "/usr/local/share/ca-certificates/" + strings.ToLower(o.name) + ".crt"},
			[]string{"update-ca-certificates"})
	} else if c.CAFile != "" {
		file, err := filepath.Abs(c.CAFile)
		if err != nil {
			return nil, err
		}
		p.Environment = map[string]string{"REQUESTS_CA_BUNDLE": file}
	}
	p.Commands = append(p.Commands,
		[]string{"az", "cloud", "register", "--name", o.name, "--cloud-config", string(config)},
		[]string{"az", "cloud", "set", "--name", o.name},
		[]string{"az", "login", "--service-principal", "--username", c.ClientID, "--password=" + c.ClientSecret, "--tenant", c.TenantID})
	return p, nil
}

// profileOf is the profile that az needs.
func (o *azSetup) profileOf(ctx context.Context) string {
	if o.profile != "" {
		return o.profile
	}
	out, err := exec.CommandContext(ctx, "az", "version", "--output", "json").Output()
	var versions map[string]any
	if err == nil && json.Unmarshal(out, &versions) == nil {
		if v, _ := versions["azure-cli"].(string); strings.HasPrefix(v, "2.45.") {
			return "2020-09-01-hybrid"
		}
	}
	return "latest"
}

// lines are what a shell runs.
func (p *azPlan) lines() []string {
	var all []string
	for name, value := range p.Environment {
		all = append(all, "export "+name+"="+shellQuote(value))
	}
	for _, c := range p.Commands {
		words := make([]string, len(c))
		for i, w := range c {
			words[i] = shellQuote(w)
		}
		all = append(all, strings.Join(words, " "))
	}
	return all
}

// print says with the commands what they are for.
func (p *azPlan) print(w io.Writer) error {
	if len(p.Environment) > 0 {
		note(w, "# Have az trust the cloud's certificate, in every shell that uses it.")
		note(w, "# Or have the machine trust it: lazuli az-setup --system-trust")
	}
	for _, l := range p.lines() {
		if strings.HasPrefix(l, "az cloud register") {
			note(w, "# When the cloud is registered already: az cloud update, with the same words.")
		}
		note(w, "%s", l)
	}
	return nil
}

// shellQuote is a word as a shell reads it.
func shellQuote(word string) string {
	if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=@%+,") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// run runs the commands. A cloud that is registered already is updated.
func (o *azSetup) run(ctx context.Context, cmd *cobra.Command, p *azPlan) error {
	if _, err := exec.LookPath("az"); err != nil {
		return &problem{code: exitError, text: "there is no az on this machine", next: "Install it, on Debian with: apt-get install azure-cli"}
	}
	registered := o.command(ctx, cmd, p, "az", "cloud", "show", "--name", o.name)
	registered.Stdout, registered.Stderr = nil, nil
	known := registered.Run() == nil
	for _, c := range p.Commands {
		if known && strings.Join(c[:min(3, len(c))], " ") == "az cloud register" {
			c = append([]string{"az", "cloud", "update"}, c[3:]...)
		}
		if err := o.command(ctx, cmd, p, c...).Run(); err != nil {
			return &problem{code: exitError, text: fmt.Sprintf("%s: %v", strings.Join(c[:min(3, len(c))], " "), err)}
		}
	}
	for name, value := range p.Environment {
		note(cmd.ErrOrStderr(), "az is set up. In every shell that uses it: export %s=%s", name, shellQuote(value))
	}
	return nil
}

func (o *azSetup) command(ctx context.Context, cmd *cobra.Command, p *azPlan, words ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, words[0], words[1:]...)
	c.Stdin, c.Stdout, c.Stderr = cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()
	c.Env = os.Environ()
	for name, value := range p.Environment {
		c.Env = append(c.Env, name+"="+value)
	}
	return c
}
