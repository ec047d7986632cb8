package identity

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
)

// Clients read the claims of the tokens that they get, in the types that Entra
// gives them.
func TestClaimsAreEntras(t *testing.T) {
	s, _ := newService(t)
	tok, err := s.Login(t.Context(), client, secret, "https://cloud.test:8443", host, "1.2.3.4")
	if err != nil {
		t.Fatal(err)
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(tok.Raw, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Audience string `json:"aud"`
		ObjectID string `json:"oid"`
		TenantID string `json:"tid"`
		AppID    string `json:"appid"`
		Issuer   string `json:"iss"`
		Expires  int64  `json:"exp"`
	}
	if err := json.Unmarshal(payload, &c); err != nil {
		t.Fatal(err)
	}
	if c.Audience != "https://cloud.test:8443" || c.ObjectID != "object" || c.TenantID != tenant || c.AppID != client || c.Expires == 0 {
		t.Errorf("the claims are %+v", c)
	}
}
