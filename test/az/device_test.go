package az_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"

	"github.com/rogpeppe/go-internal/testscript"
)

var (
	invitation  = regexp.MustCompile(`open the page (\S+) and enter the code (\S+) to`)
	hiddenInput = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)
)

// device is az login --use-device-code, of which a person with a browser does
// the part that az asks for.
func device(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: device USER PASSWORD [ARG …]")
	}
	var out bytes.Buffer
	cmd := exec.Command("az", append([]string{"login", "--use-device-code"}, args[2:]...)...)
	cmd.Dir, cmd.Stdout, cmd.Env = ts.MkAbs("."), &out, os.Environ()
	for _, name := range []string{"HOME", "AZURE_CONFIG_DIR", "REQUESTS_CA_BUNDLE", "AZURE_CORE_COLLECT_TELEMETRY", "AZURE_CORE_NO_COLOR", "LC_ALL"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	said, err := cmd.StderrPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	err = enterCode(said, ts.Getenv("REQUESTS_CA_BUNDLE"), args[0], args[1])
	if err != nil {
		_ = cmd.Process.Kill() // Wait says that it was
	}
	ts.Check(errors.Join(err, cmd.Wait()))
	ts.Check(os.WriteFile(filepath.Join(ts.Getenv("WORK"), "stdout"), out.Bytes(), 0o600))
	ts.Check(ts.Exec("cat", "stdout"))
	*lastOf(ts) = last{}
}

// enterCode waits for what az says, and does it.
func enterCode(said io.Reader, authority, user, password string) error {
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		m := invitation.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		if err := logInByBrowser(m[1], m[2], authority, user, password); err != nil {
			return err
		}
		_, err := io.Copy(io.Discard, said)
		return err
	}
	return errors.Join(errors.New("az showed no code"), lines.Err())
}

// logInByBrowser fills the page's form in.
func logInByBrowser(page, code, authority, user, password string) error {
	pem, err := os.ReadFile(authority)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	defer transport.CloseIdleConnections()
	browser := &http.Client{Jar: jar, Transport: transport}
	form := url.Values{"user_code": {code}, "username": {user}, "password": {password}}
	shown, err := read(browser.Get(page))
	if err != nil {
		return err
	}
	for _, m := range hiddenInput.FindAllStringSubmatch(shown, -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	_, err = read(browser.PostForm(page, form))
	return err
}

func read(r *http.Response, err error) (string, error) {
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s: %s", r.Request.Method, r.Request.URL, r.Status, b)
	}
	return string(b), err
}
