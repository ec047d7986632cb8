package graph

import (
	"time"

	"lazuli/internal/arm"
	"lazuli/internal/identity"
	"lazuli/internal/store"
)

// passwordBody is a secret as it is shown. Its text is shown once.
type passwordBody struct {
	CustomKeyIdentifier *string    `json:"customKeyIdentifier"`
	DisplayName         *string    `json:"displayName"`
	EndDateTime         *time.Time `json:"endDateTime"` // null of one without an end
	Hint                string     `json:"hint"`
	KeyID               string     `json:"keyId"`
	SecretText          *string    `json:"secretText"`
	StartDateTime       time.Time  `json:"startDateTime"`
}

func showPassword(s *identity.Secret) passwordBody {
	b := passwordBody{Hint: s.Hint, KeyID: s.KeyID, StartDateTime: seconds(s.CreatedAt)}
	if s.Name != "" {
		b.DisplayName = &s.Name
	}
	if !s.ExpiresAt.IsZero() {
		end := seconds(s.ExpiresAt)
		b.EndDateTime = &end
	}
	return b
}

// seconds is a time as Graph shows it.
func seconds(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

func showPasswords(p *identity.Principal) []passwordBody {
	all := make([]passwordBody, 0, len(p.Secrets))
	for i := range p.Secrets {
		all = append(all, showPassword(&p.Secrets[i]))
	}
	return all
}

type passwordInput struct {
	PasswordCredential struct {
		DisplayName   string  `json:"displayName"`
		StartDateTime *string `json:"startDateTime"`
		EndDateTime   *string `json:"endDateTime"`
	} `json:"passwordCredential"`
}

// secretYears is how long a secret is good when nobody says; Graph's.
const secretYears = 2

// startLeeway is how far the clock of who asks for a secret may be ahead.
const startLeeway = 5 * time.Minute

// times checks when the secret begins and ends.
func (in *passwordInput) times(now time.Time) (end time.Time, err error) {
	end = now.AddDate(secretYears, 0, 0)
	for _, t := range []struct {
		name string
		text *string
		into *time.Time
	}{{"startDateTime", in.PasswordCredential.StartDateTime, new(time.Time)}, {"endDateTime", in.PasswordCredential.EndDateTime, &end}} {
		if t.text == nil {
			continue
		}
		if *t.into, err = time.Parse(time.RFC3339, *t.text); err != nil {
			return end, badRequest("Property passwordCredential.%s is invalid: it must be like '2026-01-31T12:00:00Z'.", t.name)
		}
		if t.name == "startDateTime" && t.into.After(now.Add(startLeeway)) {
			return end, badRequest("Property passwordCredential.startDateTime is invalid: in this cloud a secret is good from when it is made.")
		}
	}
	if !end.After(now) {
		return end, badRequest("Property passwordCredential.endDateTime is invalid: it has passed.")
	}
	return end.UTC(), nil
}

func (c *call) addPassword(find func(store.Reader, string) (*identity.Principal, error)) (any, error) {
	var in passwordInput
	if err := arm.Decode(c.body, &in); err != nil {
		return nil, err
	}
	if len(in.PasswordCredential.DisplayName) > maxName {
		return nil, badRequest("Property passwordCredential.displayName is invalid: it may have %d characters.", maxName)
	}
	now := c.Identity.Now().UTC()
	end, err := in.times(now)
	if err != nil {
		return nil, err
	}
	secret, text := identity.MakeSecret(in.PasswordCredential.DisplayName, now, end)
	err = c.change(find, func(p *identity.Principal) error {
		if len(p.Secrets) >= identity.MaxSecrets {
			return badRequest("'%s' has %d secrets, and may have no more. Remove those that are not used.", p.Name, len(p.Secrets))
		}
		p.Secrets = append(p.Secrets, secret)
		return nil
	})
	if err != nil {
		return nil, err
	}
	body := showPassword(&secret)
	body.SecretText = &text
	return withProperty(body, "@odata.context", c.base+"/$metadata#microsoft.graph.passwordCredential")
}

type keyInput struct {
	KeyID string `json:"keyId"`
}

func (c *call) removePassword(find func(store.Reader, string) (*identity.Principal, error)) (any, error) {
	var in keyInput
	if err := arm.Decode(c.body, &in); err != nil {
		return nil, err
	}
	return nil, c.change(find, func(p *identity.Principal) error {
		if !p.RemoveSecret(in.KeyID) {
			return badRequest("No password credential found with keyId '%.100s'.", in.KeyID)
		}
		return nil
	})
}

func (c *call) addApplicationPassword() (any, error) { return c.addPassword(c.findApplication) }

func (c *call) removeApplicationPassword() (any, error) { return c.removePassword(c.findApplication) }

func (c *call) addServicePrincipalPassword() (any, error) {
	return c.addPassword(c.findServicePrincipal)
}

func (c *call) removeServicePrincipalPassword() (any, error) {
	return c.removePassword(c.findServicePrincipal)
}
