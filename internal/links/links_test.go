package links

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/ok/t.json", func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(`{"resources": []}`)) })
	mux.HandleFunc("/ok/large", func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(make([]byte, maxBytes+1)) })
	mux.HandleFunc("/other", func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("secret")) })
	mux.Handle("/ok/there", http.RedirectHandler("/ok/t.json", http.StatusFound))
	mux.Handle("/ok/away", http.RedirectHandler("/other", http.StatusFound))
	mux.Handle("/ok/round", http.RedirectHandler("/ok/round", http.StatusFound))
	server := httptest.NewServer(mux)
	defer server.Close()
	r, err := New([]string{server.URL + "/ok"})
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ address, want string }{
		"there":        {server.URL + "/ok/t.json", ""},
		"with query":   {server.URL + "/ok/t.json?sig=hush", ""},
		"redirect":     {server.URL + "/ok/there", ""},
		"leads away":   {server.URL + "/ok/away", "it leads to a place"},
		"leads round":  {server.URL + "/ok/round", "more than 3 times"},
		"too large":    {server.URL + "/ok/large", "larger than"},
		"missing":      {server.URL + "/ok/none?sig=hush", "status 404"},
		"not allowed":  {server.URL + "/other", "not told to read"},
		"dots":         {server.URL + "/ok/../other", "not told to read"},
		"encoded dots": {server.URL + "/ok/%2e%2e/other", "not told to read"},
		"beside":       {server.URL + "/okay", "not told to read"},
		"other scheme": {strings.Replace(server.URL, "http:", "https:", 1) + "/ok/t.json", "not told to read"},
		"file":         {"file:///etc/passwd", "no http or https"},
		"with user":    {strings.Replace(server.URL, "http://", "http://u:p@", 1) + "/ok/t.json", "no http or https"},
		"no address":   {"%", "no http or https"},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := r.Read(t.Context(), tt.address)
			switch {
			case tt.want == "" && (err != nil || string(text) != `{"resources": []}`):
				t.Errorf("got %q, %v", text, err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("err = %v, want that %s", err, tt.want)
			case err != nil && strings.Contains(err.Error(), "hush"):
				t.Errorf("the error %v has the query", err)
			}
		})
	}
}

func TestNewRefusesWhatIsNoPlace(t *testing.T) {
	for _, a := range []string{"", "templates.example.org", "ftp://x/", "https://u@x/", "https://x/?a=b", "%"} {
		if _, err := New([]string{a}); err == nil {
			t.Errorf("%q is taken", a)
		}
	}
}

// Names are not to lead here; addresses may, when the operator says so.
func TestCheckAddress(t *testing.T) {
	for to, bad := range map[string]bool{
		"127.0.0.1:80": true, "[::1]:80": true, "[::ffff:127.0.0.1]:80": true, "169.254.169.254:80": true, "[fe80::1]:80": true,
		"0.0.0.0:80": true, "224.0.0.1:80": true, "203.0.113.7:443": false, "[2001:db8::1]:443": false,
	} {
		if err := checkAddress(to); errors.Is(err, errHere) != bad || err != nil && !bad {
			t.Errorf("%s: %v", to, err)
		}
	}
}

func FuzzAllows(f *testing.F) {
	f.Add("https://x.example/a/../b")
	f.Add("https://x.example/a%2f..%2fb")
	r, err := New([]string{"https://x.example/a"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, address string) {
		u, err := url.Parse(address)
		if err == nil && r.allows(u) && (!strings.EqualFold(u.Hostname(), "x.example") || !strings.Contains(u.Path, "/a") && u.Path != "a") {
			t.Errorf("%q is allowed", address)
		}
	})
}
