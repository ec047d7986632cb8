package routed

import (
	"bytes"
	"context"
	"fmt"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/userdata"
)

// Every table that hooks into the forward path must let a packet pass. Docker,
// ufw and others drop there by default, in the tables of iptables; into those
// a rule of ours is put that says that our devices are our business. Tables of
// other kinds are their owners': Obstacles names them.

// chainsOfUsers are where iptables programs leave room for others, best first.
var chainsOfUsers = []string{"DOCKER-USER", "FORWARD"}

// admit puts our rules into the chain of iptables that drops, or takes them
// out when there is no network or no need any more.
func (k *kernel) admit(instance string, networks []hostNetwork) error {
	c, err := nftables.New()
	if err != nil {
		return fmt.Errorf("open nftables: %w", err)
	}
	chains, err := c.ListChainsOfTableFamily(nftables.TableFamilyIPv4)
	if err != nil {
		return fmt.Errorf("list chains: %w", err)
	}
	mark := userdata.AppendString(nil, userdata.TypeComment, hostTableName(instance))
	target := admissionChain(chains)
	for _, ch := range chains {
		if !isUserChain(ch) {
			continue
		}
		rules, err := c.GetRules(ch.Table, ch)
		if err != nil {
			return fmt.Errorf("list rules of %s: %w", ch.Name, err)
		}
		ours := 0
		for _, r := range rules {
			if bytes.Equal(r.UserData, mark) {
				ours++
			}
		}
		if wanted := ch == target && len(networks) > 0; wanted != (ours > 0) {
			if err := k.changeAdmission(c, ch, rules, mark, wanted); err != nil {
				return err
			}
		}
	}
	return nil
}

func (k *kernel) changeAdmission(c *nftables.Conn, ch *nftables.Chain, rules []*nftables.Rule, mark []byte, wanted bool) error {
	if err := k.did("admit in " + ch.Name); err != nil {
		return err
	}
	if wanted {
		for _, key := range []expr.MetaKey{expr.MetaKeyIIFNAME, expr.MetaKeyOIFNAME} {
			c.InsertRule(&nftables.Rule{Table: ch.Table, Chain: ch, UserData: mark, Exprs: []expr.Any{
				// As iptables itself writes "-i lz-+ -j ACCEPT".
				&expr.Meta{Key: key, Register: reg1}, equal([]byte(networkPrefix)), &expr.Counter{}, &expr.Verdict{Kind: expr.VerdictAccept},
			}})
		}
	} else {
		for _, r := range rules {
			if bytes.Equal(r.UserData, mark) {
				if err := c.DelRule(r); err != nil {
					return err
				}
			}
		}
	}
	if err := c.Flush(); err != nil {
		return fmt.Errorf("change chain %s: %w", ch.Name, err)
	}
	return nil
}

func isUserChain(c *nftables.Chain) bool {
	if c.Table.Name != "filter" {
		return false
	}
	for _, n := range chainsOfUsers {
		if c.Name == n {
			return true
		}
	}
	return false
}

// admissionChain is where our rules belong: nil if nothing there drops.
func admissionChain(chains []*nftables.Chain) *nftables.Chain {
	byName := map[string]*nftables.Chain{}
	for _, c := range chains {
		if isUserChain(c) {
			byName[c.Name] = c
		}
	}
	if f := byName["FORWARD"]; f == nil || !dropsForwarded(f) {
		return nil
	}
	for _, n := range chainsOfUsers {
		if byName[n] != nil {
			return byName[n]
		}
	}
	return nil
}

func dropsForwarded(c *nftables.Chain) bool {
	return c.Hooknum != nil && *c.Hooknum == *nftables.ChainHookForward && c.Policy != nil && *c.Policy == nftables.ChainPolicyDrop
}

// Obstacles says, for people, what on the host keeps guests from the world and
// is not the driver's to change.
func (d *Driver) Obstacles(context.Context) (out []string, err error) {
	err = d.in(d.host, func(*kernel) error {
		c, err := nftables.New()
		if err != nil {
			return fmt.Errorf("open nftables: %w", err)
		}
		for _, family := range []nftables.TableFamily{nftables.TableFamilyIPv4, nftables.TableFamilyINet} {
			chains, err := c.ListChainsOfTableFamily(family)
			if err != nil {
				return fmt.Errorf("list chains: %w", err)
			}
			for _, ch := range chains {
				if dropsForwarded(ch) && !(family == nftables.TableFamilyIPv4 && isUserChain(ch)) {
					out = append(out, fmt.Sprintf("chain %s of nftables table %s drops forwarded packets by default: guests are cut off unless it accepts devices named %s*", ch.Name, ch.Table.Name, networkPrefix))
				}
			}
		}
		return nil
	})
	return out, err
}
