package identity

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"lazuli/internal/store"
)

// Errors of device codes; test with errors.Is.
var (
	ErrPending     = errors.New("nobody has entered the code yet")
	ErrSlowDown    = errors.New("the client asks too often")
	ErrExpiredCode = errors.New("the code has expired, or was used")
	ErrWrongCode   = errors.New("no such code")
	ErrTooMany     = errors.New("too many codes wait to be entered")
)

// How device codes work.
const (
	// DeviceTime is how long a person has to enter the code.
	DeviceTime = 15 * time.Minute
	// DeviceInterval is how long a program waits between its questions.
	DeviceInterval = 2 * time.Second
	// tooSoon is what ErrSlowDown is for.
	tooSoon = DeviceInterval / 2

	maxDevices        = 1000 // waiting at a time
	maxDevicesNearby  = 50   // of them from one place
	userCodeLetters   = "BCDFGHJKLMNPQRSTVWXZ"
	userCodeLength    = 9
	deviceCodeGuesses = "codes from " // in the throttle
)

// device is a login that waits for a person with the user code.
type device struct {
	lifetime
	ClientID string `json:"clientId"`
	Audience string `json:"audience"`
	Offline  bool   `json:"offline"`
	From     string `json:"from"`             // neighbourhood of the program
	UserID   string `json:"userId,omitempty"` // "" until somebody has entered the code
	Epoch    int    `json:"epoch,omitempty"`
}

// userCode leads from the code that a person enters to the device.
type userCode struct {
	lifetime
	Device string `json:"device"` // key
}

// DeviceCode is a login that was begun.
type DeviceCode struct {
	// Device is for the program, User for the person.
	Device, User string
}

// BeginDevice begins a login that a person ends on another device.
func (s *Service) BeginDevice(ctx context.Context, a Ask) (*DeviceCode, error) {
	if err := s.admit(&a); err != nil {
		return nil, err
	}
	from := neighbourhood(a.Remote)
	if err := s.checkRoom(ctx, from); err != nil {
		return nil, err
	}
	c := &DeviceCode{Device: NewSecret(), User: newUserCode()}
	d := device{
		lifetime: lifetime{s.Now().Add(DeviceTime)}, ClientID: strings.ToLower(a.ClientID), Audience: a.Audience, Offline: a.Offline, From: from,
	}
	_, err := s.Store.Update(ctx, func(tx store.Tx) error {
		key := ticketKey(deviceTicket, c.Device)
		if err := putTicket(tx, ticketKey(userCodeTicket, plainUserCode(c.User)), userCode{d.lifetime, key}); err != nil {
			return err
		}
		return putTicket(tx, key, d)
	})
	return c, err
}

// checkRoom bounds the codes that wait: anybody may begin a login.
func (s *Service) checkRoom(ctx context.Context, from string) error {
	es, err := s.Store.List(ctx, ticketPrefix+deviceTicket+"/")
	if err != nil {
		return err
	}
	all, nearby := 0, 0
	for _, e := range es {
		var d device
		if err := json.Unmarshal(e.Value, &d); err != nil {
			return fmt.Errorf("read %s: %w", e.Key, err)
		}
		if d.over(s.Now()) {
			continue
		}
		if all++; d.From == from {
			nearby++
		}
	}
	if all >= maxDevices || nearby >= maxDevicesNearby {
		return ErrTooMany
	}
	return nil
}

// newUserCode is letters that make no words: "BCDFGHJKL".
func newUserCode() string {
	b := make([]byte, 0, userCodeLength)
	for len(b) < userCodeLength {
		var r [1]byte
		rand.Read(r[:]) // never fails, says its documentation
		if n := int(r[0]); n < 256/len(userCodeLetters)*len(userCodeLetters) {
			b = append(b, userCodeLetters[n%len(userCodeLetters)])
		}
	}
	return string(b)
}

// plainUserCode is a code however a person has typed it.
func plainUserCode(typed string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, strings.ToUpper(typed))
}

// ApproveDevice has a user enter a code. It says which program is logged in by
// that.
func (s *Service) ApproveDevice(ctx context.Context, code, userName, password, remote string) (program string, err error) {
	p, err := s.LoginUser(ctx, userName, password, remote)
	if err != nil {
		return "", err
	}
	who := deviceCodeGuesses + neighbourhood(remote)
	if !s.guard.allows(who, s.Now()) {
		return "", ErrThrottled
	}
	_, err = s.Store.Update(ctx, func(tx store.Tx) error {
		program, err = s.enterCode(ctx, tx, code, p)
		return err
	})
	if errors.Is(err, ErrWrongCode) {
		s.guard.failed(who, s.Now())
	}
	return program, err
}

func (s *Service) enterCode(ctx context.Context, tx store.Tx, code string, p *Principal) (program string, err error) {
	key := ticketKey(userCodeTicket, plainUserCode(code))
	u, err := findTicket[userCode](ctx, tx, key, s.Now())
	if err != nil {
		return "", err
	}
	if u == nil {
		return "", ErrWrongCode
	}
	d, err := findTicket[device](ctx, tx, u.Device, s.Now())
	if err != nil {
		return "", err
	}
	if d == nil || d.UserID != "" {
		return "", ErrWrongCode
	}
	tx.Delete(key)
	d.UserID, d.Epoch = p.ObjectID, p.Epoch
	return PublicClient(d.ClientID), putTicket(tx, u.Device, d)
}

// PollDevice is a program's question whether the code was entered. Once it was,
// the answer is given once.
func (s *Service) PollDevice(ctx context.Context, a Ask, code string) (*Grant, error) {
	key := ticketKey(deviceTicket, code)
	d, err := findTicket[device](ctx, s.Store, key, s.Now())
	switch {
	case err != nil:
		return nil, err
	case d == nil:
		return nil, ErrExpiredCode
	case d.ClientID != strings.ToLower(a.ClientID):
		return nil, ErrBadGrant
	case d.UserID == "" && s.polls.again(key, s.Now()):
		return nil, ErrSlowDown
	case d.UserID == "":
		return nil, ErrPending
	}
	return s.takeDevice(ctx, a, key)
}

func (s *Service) takeDevice(ctx context.Context, a Ask, key string) (*Grant, error) {
	var p *Principal
	fresh := NewSecret()
	var refresh string
	_, err := s.Store.Update(ctx, func(tx store.Tx) error {
		d, err := findTicket[device](ctx, tx, key, s.Now())
		if err != nil {
			return err
		}
		if d == nil {
			return ErrExpiredCode
		}
		if p, err = s.user(ctx, tx, d.UserID, d.Epoch); err != nil {
			return err
		}
		if a.Audience, refresh = d.Audience, ""; d.Offline {
			refresh = fresh
		}
		tx.Delete(key)
		return s.beginSession(tx, a.ClientID, p, refresh)
	})
	if err != nil {
		return nil, err
	}
	return s.grant(a, p, refresh)
}
