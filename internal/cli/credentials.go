package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// credentials is the file that the server writes for its administrator.
type credentials struct {
	Endpoint       string `json:"endpoint"`
	TenantID       string `json:"tenantId"`
	ClientID       string `json:"clientId"`
	ClientSecret   string `json:"clientSecret"`
	SubscriptionID string `json:"subscriptionId"`
	// CAFile has the certificate that the API's is signed with; "" for one of
	// the system's. A relative path begins at the file's directory.
	CAFile   string `json:"caFile"`
	Location string `json:"location"`

	file string
}

// dir is the directory of the file, in which our own state is kept as well.
func (c *credentials) dir() string { return filepath.Dir(c.file) }

func readCredentials(file string) (*credentials, error) {
	b, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &accessError{
			text: fmt.Sprintf("there are no credentials in %s", file),
			next: "Start a cloud on this machine with: lazuli up\nIf it runs already with another data directory, name it with --data-dir or $" + envDataDir + ".",
		}
	case errors.Is(err, fs.ErrPermission):
		return nil, &accessError{
			text: fmt.Sprintf("you may not read the credentials in %s", file),
			next: "Run the command with sudo, or have the administrator copy the file for you and name it in $" + envCredentials + ".",
		}
	case err != nil:
		return nil, fmt.Errorf("read credentials: %w", err)
	}
	return parseCredentials(file, b)
}

func parseCredentials(file string, b []byte) (*credentials, error) {
	c := &credentials{file: file}
	if err := json.Unmarshal(b, c); err != nil {
		return nil, fmt.Errorf("read credentials in %s: %w", file, err)
	}
	for _, f := range []struct{ name, value string }{
		{"endpoint", c.Endpoint}, {"tenantId", c.TenantID}, {"clientId", c.ClientID},
		{"clientSecret", c.ClientSecret}, {"subscriptionId", c.SubscriptionID}, {"location", c.Location},
	} {
		if f.value == "" {
			return nil, fmt.Errorf("read credentials in %s: %q is missing", file, f.name)
		}
	}
	if u, err := url.Parse(c.Endpoint); err != nil || u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("read credentials in %s: the endpoint %q is not an https:// address", file, c.Endpoint)
	}
	c.Endpoint = strings.TrimRight(c.Endpoint, "/")
	if c.CAFile != "" && !filepath.IsAbs(c.CAFile) {
		c.CAFile = filepath.Join(c.dir(), c.CAFile)
	}
	return c, nil
}
