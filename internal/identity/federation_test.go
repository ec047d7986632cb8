package identity

import (
	"context"
	"errors"
	"testing"
)

// issuers trusts "i", whose tokens say what is in them.
type issuers map[string]Assertion

func (issuers) Trusts(issuer string) bool { return issuer == "i" }

func (m issuers) Verify(_ context.Context, token string) (Assertion, error) {
	a, ok := m[token]
	if !ok {
		return a, ErrBadAssertion
	}
	return a, nil
}

func TestLoginAssertion(t *testing.T) {
	s, _ := newService(t)
	if _, err := s.LoginAssertion(t.Context(), client, "good", "https://"+host, host); !errors.Is(err, ErrForeignIssuer) || s.Trusts("i") {
		t.Errorf("without issuers = %v, want ErrForeignIssuer", err)
	}
	s.Issuers = issuers{
		"good":           {"i", "main", []string{"x", "exchange"}},
		"other issuer":   {"j", "main", []string{"exchange"}},
		"other subject":  {"i", "fork", []string{"exchange"}},
		"other audience": {"i", "main", []string{"x"}},
		"no audience":    {"i", "main", nil},
	}
	p, err := FindPrincipal(t.Context(), s.Store, client)
	if err != nil {
		t.Fatal(err)
	}
	p.Federated = []FederatedCredential{{Issuer: "i", Subject: "other", Audiences: []string{"exchange"}}, {Issuer: "i", Subject: "main", Audiences: []string{"exchange"}}}
	put(t, s, p)
	for name, tt := range map[string]struct {
		client, token, audience string
		want                    error
	}{
		"good":           {client, "good", "https://" + host, nil},
		"unknown token":  {client, "x", "https://" + host, ErrBadAssertion},
		"other issuer":   {client, "other issuer", "https://" + host, ErrForeignIssuer},
		"other subject":  {client, "other subject", "https://" + host, ErrForeignSubject},
		"other audience": {client, "other audience", "https://" + host, ErrForeignAudience},
		"no audience":    {client, "no audience", "https://" + host, ErrForeignAudience},
		"unknown client": {"x", "good", "https://" + host, ErrUnknownClient},
		"wrong cloud":    {client, "good", "https://x.test", ErrWrongAudience},
	} {
		t.Run(name, func(t *testing.T) {
			tok, err := s.LoginAssertion(t.Context(), tt.client, tt.token, tt.audience, host)
			if !errors.Is(err, tt.want) {
				t.Fatalf("LoginAssertion = %v, want %v", err, tt.want)
			}
			if tt.want != nil {
				return
			}
			if who, err := s.Authenticate(t.Context(), tok.Raw); err != nil || who.AppID != client {
				t.Errorf("Authenticate = %+v, %v", who, err)
			}
		})
	}
	p.Disabled = true
	put(t, s, p)
	if _, err := s.LoginAssertion(t.Context(), client, "good", "https://"+host, host); !errors.Is(err, ErrDisabledClient) {
		t.Errorf("disabled = %v, want ErrDisabledClient", err)
	}
}
