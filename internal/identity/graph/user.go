package graph

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"lazuli/internal/arm"
	"lazuli/internal/identity"
	"lazuli/internal/store"
)

// userBody is a user as it is shown.
type userBody struct {
	ID                string    `json:"id"`
	DisplayName       string    `json:"displayName"`
	UserPrincipalName string    `json:"userPrincipalName"`
	MailNickname      string    `json:"mailNickname"`
	AccountEnabled    bool      `json:"accountEnabled"`
	CreatedDateTime   time.Time `json:"createdDateTime"`
	UserType          string    `json:"userType"`
	BusinessPhones    []string  `json:"businessPhones"`
	GivenName         *string   `json:"givenName"`
	JobTitle          *string   `json:"jobTitle"`
	Mail              *string   `json:"mail"`
	MobilePhone       *string   `json:"mobilePhone"`
	OfficeLocation    *string   `json:"officeLocation"`
	PreferredLanguage *string   `json:"preferredLanguage"`
	Surname           *string   `json:"surname"`
}

func showUser(p *identity.Principal) any {
	return userBody{
		ID: p.ObjectID, DisplayName: p.Name, UserPrincipalName: p.UserName, MailNickname: nickname(p.UserName),
		AccountEnabled: !p.Disabled, CreatedDateTime: seconds(p.CreatedAt), UserType: "Member", BusinessPhones: []string{},
	}
}

func nickname(userName string) string {
	local, _, _ := strings.Cut(userName, "@")
	return local
}

var users = &kind{
	name: "users",
	has:  (*identity.Principal).IsUser,
	show: showUser,
	properties: map[string]func(*identity.Principal) []string{
		"id":                func(p *identity.Principal) []string { return []string{p.ObjectID} },
		"displayname":       func(p *identity.Principal) []string { return []string{p.Name} },
		"userprincipalname": func(p *identity.Principal) []string { return []string{p.UserName} },
		"mailnickname":      func(p *identity.Principal) []string { return []string{nickname(p.UserName)} },
		"accountenabled":    func(p *identity.Principal) []string { return []string{strconv.FormatBool(!p.Disabled)} },
	},
}

// userInput is what may be written of a user.
type userInput struct {
	DisplayName       *string          `json:"displayName"`
	UserPrincipalName *string          `json:"userPrincipalName"`
	MailNickname      *string          `json:"mailNickname"`
	AccountEnabled    *bool            `json:"accountEnabled"`
	PasswordProfile   *passwordProfile `json:"passwordProfile"`
}

type passwordProfile struct {
	Password *string `json:"password"`
}

func (c *call) listUsers() (any, error) { return c.list(users) }

// findUser is the user with that id or name.
func (c *call) findUser(r store.Reader, id string) (*identity.Principal, error) {
	p, err := identity.FindObject(c.ctx, r, id)
	if err == nil && (p == nil || !p.IsUser()) {
		p, err = identity.FindUser(c.ctx, r, id)
	}
	if err == nil && p == nil {
		err = notFound(id)
	}
	return p, err
}

func (c *call) getUser() (any, error) {
	p, err := c.findUser(c.Identity.Store, c.ids[0])
	if err != nil {
		return nil, err
	}
	return c.one("users", showUser(p))
}

func (c *call) createUser() (any, error) {
	var in userInput
	if err := arm.Decode(c.body, &in); err != nil {
		return nil, err
	}
	for name, missing := range map[string]bool{
		"userPrincipalName": in.UserPrincipalName == nil, "displayName": in.DisplayName == nil,
		"passwordProfile.password": in.PasswordProfile == nil || in.PasswordProfile.Password == nil,
	} {
		if missing {
			return nil, badRequest("A value is required for property '%s' of resource 'User'.", name)
		}
	}
	p := &identity.Principal{
		Kind: arm.KindUser, ObjectID: uuid.NewString(), TenantID: c.Identity.TenantID, CreatedAt: c.Identity.Now().UTC(),
	}
	hash, err := in.check(*in.UserPrincipalName)
	if err != nil {
		return nil, err
	}
	if err := in.apply(p, hash, c.Identity.Now()); err != nil {
		return nil, err
	}
	if err := c.update(func(tx store.Tx) error { return identity.PutPrincipal(c.ctx, tx, p) }); err != nil {
		return nil, err
	}
	return c.one("users", showUser(p))
}

func (c *call) patchUser() (any, error) {
	var in userInput
	if err := arm.Decode(c.body, &in); err != nil {
		return nil, err
	}
	p, err := c.findUser(c.Identity.Store, c.ids[0])
	if err != nil {
		return nil, err
	}
	hash, err := in.check(p.UserName)
	if err != nil {
		return nil, err
	}
	return nil, c.change(c.findUser, func(p *identity.Principal) error {
		if in.AccountEnabled != nil && !*in.AccountEnabled {
			if err := c.notSelf(p); err != nil {
				return err
			}
		}
		return in.apply(p, hash, c.Identity.Now())
	})
}

func (c *call) deleteUser() (any, error) { return nil, c.remove(c.findUser, identity.DeletePrincipal) }

// notSelf keeps administrators from locking themselves out: somebody is left
// who can let others in.
func (c *call) notSelf(p *identity.Principal) error {
	if p.ObjectID == c.who.ObjectID {
		return badRequest("You are logged in as '%s', so you cannot delete or disable it, or end its administration. Log in as another administrator.", p.Name)
	}
	return nil
}

var userNamePattern = regexp.MustCompile(`^[A-Za-z0-9'._!#^~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,46}[A-Za-z0-9])?$`)

// check checks what can be checked without the user, whose name is or becomes
// userName, and hashes the password, which takes long.
func (in *userInput) check(userName string) (hash string, err error) {
	if in.UserPrincipalName != nil {
		if userName = *in.UserPrincipalName; !userNamePattern.MatchString(userName) {
			return "", badRequest("Property userPrincipalName is invalid: it must be like 'alice@example.org'.")
		}
	}
	if in.DisplayName != nil && (strings.TrimSpace(*in.DisplayName) == "" || len(*in.DisplayName) > maxName) {
		return "", badRequest("Property displayName is invalid: it must have 1 to %d characters.", maxName)
	}
	if in.PasswordProfile == nil || in.PasswordProfile.Password == nil {
		return "", nil
	}
	return hashPassword(*in.PasswordProfile.Password, userName)
}

// maxName is Graph's limit on display names.
const maxName = 256

func hashPassword(password, userName string) (string, error) {
	if !identity.GoodPassword(password, userName) {
		return "", badRequest("The specified password does not comply with password complexity requirements: 8 to 256 characters, of three kinds out of lower case, upper case, digits and symbols, without the user's name in it.")
	}
	return identity.HashSecret(password), nil
}

func (in *userInput) apply(p *identity.Principal, hash string, now time.Time) error {
	if in.UserPrincipalName != nil {
		p.UserName = *in.UserPrincipalName
	}
	if in.MailNickname != nil && !strings.EqualFold(*in.MailNickname, nickname(p.UserName)) {
		return badRequest("Property mailNickname is invalid: in this cloud it is what the user's name begins with, '%s'.", nickname(p.UserName))
	}
	if in.DisplayName != nil {
		p.Name = *in.DisplayName
	}
	if in.AccountEnabled != nil {
		p.Disabled = !*in.AccountEnabled
	}
	if hash != "" {
		p.SetPassword(hash, now)
	}
	return nil
}
