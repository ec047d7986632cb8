package api_test

import (
	"bufio"
	_ "embed"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// acceptedText is what Azure's SDK takes for a success of which request: a
// status of 2xx that is not there fails in its clients.
//
//go:embed testdata/accepted.txt
var acceptedText string

type acceptance struct {
	method   string
	path     *regexp.Regexp
	generic  bool // of resources of any type
	statuses []string
}

var acceptances = readAcceptances()

func readAcceptances() (all []acceptance) {
	for s := bufio.NewScanner(strings.NewReader(acceptedText)); s.Scan(); {
		f := strings.Fields(s.Text())
		if len(f) != 3 || f[0] == "#" {
			continue
		}
		path := strings.ReplaceAll(regexp.QuoteMeta(f[1]), `\{\}`, `[^/]+`)
		path = strings.ReplaceAll(path, `\{scope\}`, `.+`)
		all = append(all, acceptance{f[0], regexp.MustCompile(`(?i)^` + path + `$`), strings.Contains(f[1], "{}/{}"), strings.Split(f[2], ",")})
	}
	return all
}

// acceptedStatuses are those of a success of the request; none when the SDK
// does not have it. What is for one type goes before what is for all.
func acceptedStatuses(method, path string) []string {
	for _, generic := range []bool{false, true} {
		for _, a := range acceptances {
			if a.generic == generic && a.method == method && a.path.MatchString(path) {
				return a.statuses
			}
		}
	}
	return nil
}

// checkAccepted: a success has a status that the SDK takes for one.
func checkAccepted(t testing.TB, resp *http.Response) {
	t.Helper()
	want := acceptedStatuses(resp.Request.Method, resp.Request.URL.Path)
	if resp.StatusCode < 300 && want != nil && !slices.Contains(want, resp.Status[:3]) {
		t.Errorf("%s %s = %d, which the SDK takes for a failure: it knows %v", resp.Request.Method, resp.Request.URL.Path, resp.StatusCode, want)
	}
}

func TestAcceptedStatuses(t *testing.T) {
	const group = "/subscriptions/s/resourceGroups/g"
	tests := map[string]struct {
		method, path string
		want         []string
	}{
		"disk":           {"PUT", group + "/providers/Microsoft.Compute/disks/d", []string{"200", "202"}},
		"in lower case":  {"PUT", strings.ToLower(group + "/providers/Microsoft.Compute/disks/d"), []string{"200", "202"}},
		"group":          {"DELETE", group, []string{"200", "202"}},
		"any type":       {"HEAD", group + "/providers/Microsoft.Compute//disks/d", nil},
		"tags of a disk": {"PUT", group + "/providers/Microsoft.Compute/disks/d/providers/Microsoft.Resources/tags/default", []string{"200", "202"}},
		"unknown":        {"GET", "/subscriptions/s/resources", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := acceptedStatuses(tt.method, tt.path); !slices.Equal(got, tt.want) {
				t.Errorf("accepted: %v, want %v", got, tt.want)
			}
		})
	}
}
