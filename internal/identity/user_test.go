package identity

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lazuli/internal/arm"
	"lazuli/internal/store"
)

const (
	alice    = "alice@example.org"
	password = "Blue stone 9"
	azure    = "04b07795-8ddb-461a-bbee-02f9e1bf7b46" // the id of az
)

// newUserService has the user alice.
func newUserService(t *testing.T) (*Service, *time.Time) {
	t.Helper()
	s, now := newService(t)
	p := &Principal{Kind: arm.KindUser, UserName: alice, ObjectID: "a11ce", TenantID: tenant, Name: "Alice"}
	p.SetPassword(HashSecret(password), *now)
	put(t, s, p)
	return s, now
}

func ask() Ask {
	return Ask{ClientID: azure, Audience: "https://" + host, Host: host, Remote: "192.0.2.1", Offline: true}
}

// change changes alice.
func change(t *testing.T, s *Service, f func(*Principal)) {
	t.Helper()
	_, err := s.Store.Update(t.Context(), func(tx store.Tx) error {
		p, err := FindUser(t.Context(), tx, alice)
		if err != nil {
			return err
		}
		f(p)
		return PutPrincipal(t.Context(), tx, p)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPassword(t *testing.T) {
	s, _ := newUserService(t)
	other := ask()
	other.ClientID = client
	elsewhere := ask()
	elsewhere.Audience = "https://x.test"
	for name, tt := range map[string]struct {
		ask            Ask
		user, password string
		want           error
	}{
		"good":             {ask(), alice, password, nil},
		"in capitals":      {ask(), strings.ToUpper(alice), password, nil},
		"wrong":            {ask(), alice, password + "x", ErrWrongPassword},
		"none":             {ask(), alice, "", ErrWrongPassword},
		"nobody":           {ask(), "bob@example.org", password, ErrWrongPassword},
		"an object id":     {ask(), "a11ce", password, ErrWrongPassword},
		"a client":         {ask(), client, secret, ErrWrongPassword},
		"long name":        {ask(), strings.Repeat("x", 1000), password, ErrWrongPassword},
		"program with key": {other, alice, password, ErrUnknownClient},
		"other audience":   {elsewhere, alice, password, ErrWrongAudience},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := s.Password(t.Context(), tt.ask, tt.user, tt.password)
			if !errors.Is(err, tt.want) {
				t.Fatalf("Password = %v, want %v", err, tt.want)
			}
			if tt.want != nil {
				return
			}
			p, err := s.Authenticate(t.Context(), g.Raw)
			want := arm.Principal{Kind: arm.KindUser, ObjectID: "a11ce", AppID: azure, TenantID: tenant, Name: "Alice", UserName: alice}
			if err != nil || p != want {
				t.Errorf("Authenticate = %+v, %v; want %+v", p, err, want)
			}
			if g.Refresh == "" || strings.Count(g.IDToken, ".") != 2 {
				t.Errorf("the grant lacks tokens: %+v", g)
			}
			if _, err := s.Authenticate(t.Context(), g.IDToken); err == nil {
				t.Error("an ID token is taken for an access token")
			}
		})
	}
	// A user is no client: the password is no client secret.
	if _, err := s.Login(t.Context(), "a11ce", password, "https://"+host, host, ""); !errors.Is(err, ErrUnknownClient) {
		t.Errorf("Login as a user = %v, want ErrUnknownClient", err)
	}
}

func TestPasswordIsThrottled(t *testing.T) {
	for name, who := range map[string]string{"somebody": alice, "nobody": "bob@example.org"} {
		t.Run(name, func(t *testing.T) {
			s, _ := newUserService(t)
			var err error
			for range freeFailures + 1 {
				_, err = s.Password(t.Context(), ask(), who, "x")
			}
			if !errors.Is(err, ErrThrottled) {
				t.Errorf("after %d failures = %v, want ErrThrottled", freeFailures, err)
			}
		})
	}
}

// What ends the rights of a user ends tokens that were handed out, at once.
func TestUsersLoseTheirTokens(t *testing.T) {
	for name, tt := range map[string]struct {
		f       func(t *testing.T, s *Service)
		refresh error
		login   error
	}{
		"disabled": {func(t *testing.T, s *Service) { change(t, s, func(p *Principal) { p.Disabled = true }) }, ErrDisabledUser, ErrDisabledUser},
		"new password": {func(t *testing.T, s *Service) {
			change(t, s, func(p *Principal) { p.SetPassword(HashSecret("x"), s.Now()) })
		}, ErrRevoked, ErrWrongPassword},
		"deleted": {func(t *testing.T, s *Service) {
			_, err := s.Store.Update(t.Context(), func(tx store.Tx) error {
				return DeletePrincipal(t.Context(), tx, &Principal{Kind: arm.KindUser, ObjectID: "a11ce"})
			})
			if err != nil {
				t.Fatal(err)
			}
		}, ErrRevoked, ErrWrongPassword},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := newUserService(t)
			g, err := s.Password(t.Context(), ask(), alice, password)
			if err != nil {
				t.Fatal(err)
			}
			tt.f(t, s)
			if _, err := s.Authenticate(t.Context(), g.Raw); err == nil {
				t.Error("the access token is good")
			}
			if err := s.Stands(t.Context(), g.Raw); err == nil {
				t.Error("who has come by the token may stay")
			}
			if _, err := s.Refresh(t.Context(), ask(), g.Refresh); !errors.Is(err, tt.refresh) {
				t.Errorf("Refresh = %v, want %v", err, tt.refresh)
			}
			if _, err := s.Password(t.Context(), ask(), alice, password); !errors.Is(err, tt.login) {
				t.Errorf("Password = %v, want %v", err, tt.login)
			}
		})
	}
}

func TestDisabledAndExpiredClients(t *testing.T) {
	s, now := newService(t)
	raw := login(t, s)
	p, err := FindPrincipal(t.Context(), s.Store, client)
	if err != nil {
		t.Fatal(err)
	}
	p.Secrets[1].ExpiresAt = now.Add(time.Hour)
	put(t, s, p)
	try := func(secret string) error {
		_, err := s.Login(t.Context(), client, secret, "https://"+host, host, "")
		return err
	}
	if err := try(secret); err != nil {
		t.Errorf("before the secret's end = %v", err)
	}
	*now = now.Add(time.Hour)
	if err := try(secret); !errors.Is(err, ErrExpiredSecret) {
		t.Errorf("at the secret's end = %v, want ErrExpiredSecret", err)
	}
	if err := try("old"); err != nil {
		t.Errorf("another secret = %v, want success", err)
	}
	p.Disabled = true
	put(t, s, p)
	if err := try("old"); !errors.Is(err, ErrDisabledClient) {
		t.Errorf("disabled = %v, want ErrDisabledClient", err)
	}
	*now = now.Add(-time.Hour)
	if _, err := s.Authenticate(t.Context(), raw); err == nil {
		t.Error("the token of a disabled principal is good")
	}
	p.Disabled, p.ObjectID = false, ""
	put(t, s, p)
	if err := try("old"); !errors.Is(err, ErrUnknownClient) {
		t.Errorf("an application alone = %v, want ErrUnknownClient", err)
	}
}

func TestRefresh(t *testing.T) {
	s, now := newUserService(t)
	g, err := s.Password(t.Context(), ask(), alice, password)
	if err != nil {
		t.Fatal(err)
	}
	other := ask()
	other.ClientID = "1950a258-227b-4e31-a9cf-717495945fc2"
	if _, err := s.Refresh(t.Context(), other, g.Refresh); !errors.Is(err, ErrBadGrant) {
		t.Errorf("another program = %v, want ErrBadGrant", err)
	}
	second, err := s.Refresh(t.Context(), ask(), g.Refresh)
	if err != nil || second.Refresh == g.Refresh {
		t.Fatalf("Refresh = %v, and the token is another: %t", err, second.Refresh != g.Refresh)
	}
	// The cache of two programs side by side, or an answer that got lost.
	if _, err := s.Refresh(t.Context(), ask(), g.Refresh); err != nil {
		t.Errorf("at once again = %v, want success", err)
	}
	*now = now.Add(reuseTime + time.Second)
	if _, err := s.Refresh(t.Context(), ask(), g.Refresh); !errors.Is(err, ErrRevoked) {
		t.Errorf("later again = %v, want ErrRevoked", err)
	}
	if _, err := s.Refresh(t.Context(), ask(), second.Refresh); !errors.Is(err, ErrRevoked) {
		t.Errorf("the next token of a stolen login = %v, want ErrRevoked", err)
	}
	if _, err := s.Refresh(t.Context(), ask(), "x"); !errors.Is(err, ErrBadGrant) {
		t.Errorf("an unknown token = %v, want ErrBadGrant", err)
	}
}

func TestRefreshEnds(t *testing.T) {
	s, now := newUserService(t)
	begin := *now
	g, err := s.Password(t.Context(), ask(), alice, password)
	for err == nil {
		*now = now.Add(refreshTime - time.Second)
		g, err = s.Refresh(t.Context(), ask(), g.Refresh)
	}
	if lasted := now.Sub(begin); lasted < sessionTime || lasted > sessionTime+refreshTime {
		t.Errorf("the login lasted %v, want about %v", lasted, sessionTime)
	}
	if err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left, err := s.Store.List(t.Context(), ticketPrefix); err != nil || len(left) > 0 {
		t.Errorf("%d tickets are left, %v", len(left), err)
	}
}

// A restart loses no login that was begun.
func TestDevice(t *testing.T) {
	s, _ := newUserService(t)
	d, err := s.BeginDevice(t.Context(), ask())
	if err != nil {
		t.Fatal(err)
	}
	poll := func() error { _, err := s.PollDevice(t.Context(), ask(), d.Device); return err }
	if err := poll(); !errors.Is(err, ErrPending) {
		t.Errorf("poll = %v, want ErrPending", err)
	}
	if err := poll(); !errors.Is(err, ErrSlowDown) {
		t.Errorf("poll at once = %v, want ErrSlowDown", err)
	}
	for name, tt := range map[string]struct {
		code, user, password string
		want                 error
	}{
		"wrong password": {d.User, alice, "x", ErrWrongPassword},
		"wrong code":     {"BBBBBBBBB", alice, password, ErrWrongCode},
		"no code":        {"", alice, password, ErrWrongCode},
	} {
		if _, err := s.ApproveDevice(t.Context(), tt.code, tt.user, tt.password, ""); !errors.Is(err, tt.want) {
			t.Errorf("%s: ApproveDevice = %v, want %v", name, err, tt.want)
		}
	}
	if s, err = New(t.Context(), s.Config); err != nil {
		t.Fatal(err)
	}
	typed := strings.ToLower(d.User[:3]) + "-" + d.User[3:6] + " " + d.User[6:]
	if program, err := s.ApproveDevice(t.Context(), typed, alice, password, ""); err != nil || program != "Azure CLI" {
		t.Fatalf("ApproveDevice = %q, %v", program, err)
	}
	if _, err := s.ApproveDevice(t.Context(), d.User, alice, password, ""); !errors.Is(err, ErrWrongCode) {
		t.Errorf("a code twice = %v, want ErrWrongCode", err)
	}
	other := ask()
	other.ClientID = client
	if _, err := s.PollDevice(t.Context(), other, d.Device); !errors.Is(err, ErrBadGrant) {
		t.Errorf("another program = %v, want ErrBadGrant", err)
	}
	g, err := s.PollDevice(t.Context(), ask(), d.Device)
	if err != nil || g.User.UserName != alice || g.Refresh == "" {
		t.Fatalf("PollDevice = %+v, %v", g, err)
	}
	if _, err := s.Refresh(t.Context(), ask(), g.Refresh); err != nil {
		t.Error(err)
	}
	if err := poll(); !errors.Is(err, ErrExpiredCode) {
		t.Errorf("a second answer = %v, want ErrExpiredCode", err)
	}
}

func TestDeviceEnds(t *testing.T) {
	s, now := newUserService(t)
	late, err1 := s.BeginDevice(t.Context(), ask())
	entered, err2 := s.BeginDevice(t.Context(), ask())
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ApproveDevice(t.Context(), entered.User, alice, password, ""); err != nil {
		t.Fatal(err)
	}
	change(t, s, func(p *Principal) { p.Epoch++ })
	if _, err := s.PollDevice(t.Context(), ask(), entered.Device); !errors.Is(err, ErrRevoked) {
		t.Errorf("after a change of the password = %v, want ErrRevoked", err)
	}
	*now = now.Add(DeviceTime)
	if _, err := s.PollDevice(t.Context(), ask(), late.Device); !errors.Is(err, ErrExpiredCode) {
		t.Errorf("PollDevice = %v, want ErrExpiredCode", err)
	}
	if _, err := s.ApproveDevice(t.Context(), late.User, alice, password, ""); !errors.Is(err, ErrWrongCode) {
		t.Errorf("ApproveDevice = %v, want ErrWrongCode", err)
	}
}

func TestDevicesAreBounded(t *testing.T) {
	s, now := newUserService(t)
	var err error
	for range maxDevicesNearby {
		if _, err = s.BeginDevice(t.Context(), ask()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.BeginDevice(t.Context(), ask()); !errors.Is(err, ErrTooMany) {
		t.Errorf("one more = %v, want ErrTooMany", err)
	}
	far := ask()
	far.Remote = "192.0.2.2"
	if _, err := s.BeginDevice(t.Context(), far); err != nil {
		t.Errorf("from elsewhere = %v", err)
	}
	*now = now.Add(DeviceTime)
	if _, err := s.BeginDevice(t.Context(), ask()); err != nil {
		t.Errorf("when they have expired = %v", err)
	}
	for range freeFailures {
		if _, err := s.ApproveDevice(t.Context(), "BBBBBBBBB", alice, password, ""); !errors.Is(err, ErrWrongCode) {
			t.Fatal(err)
		}
	}
	if _, err := s.ApproveDevice(t.Context(), "BBBBBBBBB", alice, password, ""); !errors.Is(err, ErrThrottled) {
		t.Errorf("many guesses at codes = %v, want ErrThrottled", err)
	}
}

func TestCodes(t *testing.T) {
	const verifier, redirect = "a verifier of the program", "http://localhost:8400"
	for name, tt := range map[string]struct {
		change   func(t *testing.T, s *Service, a *Ask, now *time.Time)
		redirect string
		verifier string
		want     error
	}{
		"good":           {redirect: redirect, verifier: verifier},
		"other redirect": {redirect: "http://localhost:8401", verifier: verifier, want: ErrBadGrant},
		"other verifier": {redirect: redirect, verifier: "x", want: ErrBadPKCE},
		"other program": {func(_ *testing.T, _ *Service, a *Ask, _ *time.Time) {
			a.ClientID = "1950a258-227b-4e31-a9cf-717495945fc2"
		}, redirect, verifier, ErrBadGrant},
		"late": {func(_ *testing.T, _ *Service, _ *Ask, now *time.Time) { *now = now.Add(codeTime) }, redirect, verifier, ErrBadGrant},
		"disabled": {func(t *testing.T, s *Service, _ *Ask, _ *time.Time) {
			change(t, s, func(p *Principal) { p.Disabled = true })
		}, redirect, verifier, ErrDisabledUser},
	} {
		t.Run(name, func(t *testing.T) {
			s, now := newUserService(t)
			a := ask()
			a.Nonce = "n"
			code, err := s.Authorize(t.Context(), a, redirect, pkce(verifier), alice, password)
			if err != nil {
				t.Fatal(err)
			}
			if a.Nonce = ""; tt.change != nil {
				tt.change(t, s, &a, now)
			}
			g, err := s.Redeem(t.Context(), a, code, tt.redirect, tt.verifier)
			if !errors.Is(err, tt.want) {
				t.Fatalf("Redeem = %v, want %v", err, tt.want)
			}
			if tt.want == nil && g.User.UserName != alice {
				t.Errorf("the grant is of %s", g.User.UserName)
			}
			if _, err := s.Redeem(t.Context(), a, code, redirect, verifier); !errors.Is(err, ErrBadGrant) {
				t.Errorf("Redeem again = %v, want ErrBadGrant", err)
			}
		})
	}
	s, _ := newUserService(t)
	s.Store = unwritten{s.Store, t}
	if _, err := s.Redeem(t.Context(), ask(), "guessed", redirect, verifier); !errors.Is(err, ErrBadGrant) {
		t.Errorf("a guess = %v, want ErrBadGrant", err)
	}
	if _, err := s.Authorize(t.Context(), ask(), "http://evil.test", pkce(verifier), alice, password); !errors.Is(err, ErrBadRedirect) {
		t.Errorf("a redirect elsewhere = %v, want ErrBadRedirect", err)
	}
	if _, err := s.Authorize(t.Context(), ask(), redirect, "", alice, password); !errors.Is(err, ErrBadPKCE) {
		t.Errorf("no challenge = %v, want ErrBadPKCE", err)
	}
}

func TestCheckRedirect(t *testing.T) {
	for redirect, good := range map[string]bool{
		"http://localhost:8400": true, "http://localhost": true, "http://localhost:1/": true,
		"https://localhost:1": false, "http://localhost.evil.test": false, "http://a@localhost": false, "http://localhost@evil.test": false,
		"http://localhost:1/x": false, "http://localhost:1?x": false, "http://localhost#x": false, "http://localhost#": false, "": false, "javascript:alert(1)": false,
		"//localhost": false, "http://127.0.0.1:1": false,
	} {
		if err := CheckRedirect(redirect); (err == nil) != good {
			t.Errorf("CheckRedirect(%q) = %v, want good: %t", redirect, err, good)
		}
	}
}

func FuzzCheckRedirect(f *testing.F) {
	f.Add("http://localhost:8400/")
	f.Add("http://localhost@evil.test")
	f.Add("http://LOCALHOST:1#")
	f.Fuzz(func(t *testing.T, redirect string) {
		if CheckRedirect(redirect) != nil {
			return
		}
		rest, ok := strings.CutPrefix(strings.ToLower(redirect), "http://localhost")
		if !ok || strings.Trim(rest, "/:0123456789") != "" {
			t.Errorf("CheckRedirect takes %q", redirect)
		}
	})
}

func TestSweepsWhileItRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, now := newUserService(t)
		if _, err := s.BeginDevice(t.Context(), ask()); err != nil {
			t.Fatal(err)
		}
		*now = now.Add(DeviceTime)
		go s.Run(t.Context())
		synctest.Wait()
		if left, err := s.Store.List(t.Context(), ticketPrefix); err != nil || len(left) > 0 {
			t.Errorf("%d tickets are left, %v", len(left), err)
		}
	})
}

func TestNames(t *testing.T) {
	s, _ := newUserService(t)
	_, err := s.Store.Update(t.Context(), func(tx store.Tx) error {
		return PutPrincipal(t.Context(), tx, &Principal{Kind: arm.KindUser, UserName: strings.ToUpper(alice), ObjectID: "b0b", TenantID: tenant})
	})
	if !errors.Is(err, ErrNameTaken) {
		t.Errorf("a second alice = %v, want ErrNameTaken", err)
	}
	change(t, s, func(p *Principal) { p.UserName = "al@example.org" })
	if p, err := FindUser(t.Context(), s.Store, alice); p != nil || err != nil {
		t.Errorf("by the old name = %+v, %v", p, err)
	}
	put(t, s, &Principal{ClientID: "c", ObjectID: "o2", ApplicationID: "a2", TenantID: tenant})
	for id, want := range map[string]string{"A11CE": "a11ce", "O2": "o2", "a2": "o2", "c": "", "al@example.org": "", "x": ""} {
		p, err := FindObject(t.Context(), s.Store, id)
		if err != nil || (p == nil) != (want == "") || p != nil && p.ObjectID != want {
			t.Errorf("FindObject(%s) = %+v, %v; want %q", id, p, err, want)
		}
	}
	all, err := Principals(t.Context(), s.Store)
	if err != nil || len(all) != 3 {
		t.Errorf("Principals = %v, %v; want three", all, err)
	}
}

func TestGoodPassword(t *testing.T) {
	for password, good := range map[string]bool{
		"Blue stone 9": true, "bluestone9!": true, "BLUEstone9": true,
		"Short 9": false, "bluestone9": false, "onlyletters": false, strings.Repeat("aB3", 100): false, "Alice-1234": false, "": false,
	} {
		if got := GoodPassword(password, alice); got != good {
			t.Errorf("GoodPassword(%q) = %t, want %t", password, got, good)
		}
	}
}

func TestRemoveSecret(t *testing.T) {
	one, text := MakeSecret("one", time.Time{}, time.Time{})
	p := &Principal{Secrets: []Secret{one, {Hash: "x"}}}
	if !p.Knows(text) || one.Hint != text[:3] {
		t.Errorf("the secret is not %+v's", one)
	}
	if p.RemoveSecret("") || p.RemoveSecret("x") || !p.RemoveSecret(strings.ToUpper(one.KeyID)) || len(p.Secrets) != 1 {
		t.Errorf("RemoveSecret leaves %+v", p.Secrets)
	}
}

// unwritten is a store that nothing is to be written to.
type unwritten struct {
	store.Store
	t *testing.T
}

func (u unwritten) Update(ctx context.Context, f func(store.Tx) error) (int64, error) {
	return u.Store.Update(ctx, func(tx store.Tx) error { return f(unwrittenTx{tx, u.t}) })
}

type unwrittenTx struct {
	store.Tx
	t *testing.T
}

func (u unwrittenTx) Put(key string, _ []byte) { u.t.Errorf("%s is written", key) }
func (u unwrittenTx) Delete(key string)        { u.t.Errorf("%s is deleted", key) }
