package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// The forms of the output.
const (
	outputTable = "table"
	outputJSON  = "json"
	outputName  = "name"
)

func checkOutput(form string) error {
	switch form {
	case outputTable, outputJSON, outputName:
		return nil
	}
	return usageError{fmt.Sprintf("there is no output form %q: use table, json or name", form)}
}

// table is output for people. An empty cell is shown as "-".
type table struct {
	columns []string
	rows    [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) print(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 8, 3, ' ', 0)
	printRow(tw, t.columns)
	for _, r := range t.rows {
		printRow(tw, r)
	}
	return tw.Flush()
}

// printRow ends no cell but the line, so that no line has spaces at its end.
func printRow(w io.Writer, cells []string) {
	shown := make([]string, len(cells))
	for i, c := range cells {
		if shown[i] = clean(c); c == "" {
			shown[i] = "-"
		}
	}
	fmt.Fprintln(w, strings.Join(shown, "\t"))
}

// clean keeps what a cell holds from moving the cursor or the columns.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
}

// fields are the properties of one thing, for people: a name a line.
type fields []struct{ name, value string }

func (f *fields) add(name, value string) {
	if value != "" {
		*f = append(*f, struct{ name, value string }{name, value})
	}
}

func (f fields) print(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, l := range f {
		name := l.name
		if name != "" {
			name += ":"
		}
		fmt.Fprintf(tw, "%s\t%s\n", name, clean(l.value))
	}
	return tw.Flush()
}

// printer is output for people.
type printer interface{ print(io.Writer) error }

// print writes the output in the form that was asked for. object is the SDK's
// own, for programs.
func (a *app) print(cmd *cobra.Command, object any, names []string, people printer) error {
	w := cmd.OutOrStdout()
	switch a.output {
	case outputJSON:
		b, err := json.MarshalIndent(object, "", "  ")
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "%s\n", b)
		return err
	case outputName:
		for _, n := range names {
			fmt.Fprintln(w, n)
		}
		return nil
	}
	return people.print(w)
}

// listOf is list as JSON shows it: never null.
func listOf[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// age is how long ago t was, in the largest unit that says enough.
func age(t *time.Time, now time.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	d := max(now.Sub(*t), 0)
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}
