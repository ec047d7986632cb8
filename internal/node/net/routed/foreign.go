package routed

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/userdata"
)

// Every table that hooks into the forward path must let a packet pass. Docker,
// ufw and others drop there by default, in the tables of iptables. At the end
// of that chain, after all that its owners have to say (that nobody enters
// their containers), a rule of ours says that our devices are our business.
// Tables of other kinds are their owners': Obstacles names them.

// iptablesForward is the forward chain of iptables.
func iptablesForward(c *nftables.Chain) bool {
	return c.Table.Family == nftables.TableFamilyIPv4 && c.Table.Name == "filter" && c.Name == "FORWARD"
}

// admit puts our rules into the chain of iptables if that drops, or takes them
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
	i := slices.IndexFunc(chains, iptablesForward)
	if i < 0 {
		return nil
	}
	mark := userdata.AppendString(nil, userdata.TypeComment, hostTableName(instance))
	rules, err := c.GetRules(chains[i].Table, chains[i])
	if err != nil {
		return fmt.Errorf("list rules of %s: %w", chains[i].Name, err)
	}
	ours := slices.DeleteFunc(slices.Clone(rules), func(r *nftables.Rule) bool { return !bytes.Equal(r.UserData, mark) })
	if wanted := dropsForwarded(chains[i]) && len(networks) > 0; wanted != (len(ours) > 0) {
		return k.changeAdmission(c, chains[i], ours, mark, wanted)
	}
	return nil
}

func (k *kernel) changeAdmission(c *nftables.Conn, ch *nftables.Chain, ours []*nftables.Rule, mark []byte, wanted bool) error {
	if err := k.did("admit in " + ch.Name); err != nil {
		return err
	}
	if wanted {
		for _, key := range []expr.MetaKey{expr.MetaKeyIIFNAME, expr.MetaKeyOIFNAME} {
			c.AddRule(&nftables.Rule{Table: ch.Table, Chain: ch, UserData: mark, Exprs: []expr.Any{
				// As iptables itself writes "-i lz-+ -j ACCEPT".
				&expr.Meta{Key: key, Register: reg1}, equal([]byte(networkPrefix)), &expr.Counter{}, &expr.Verdict{Kind: expr.VerdictAccept},
			}})
		}
	}
	for _, r := range ours {
		if err := c.DelRule(r); err != nil {
			return err
		}
	}
	if err := c.Flush(); err != nil {
		return fmt.Errorf("change chain %s: %w", ch.Name, err)
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
				if dropsForwarded(ch) && !iptablesForward(ch) {
					out = append(out, fmt.Sprintf("chain %s of nftables table %s drops forwarded packets by default: guests are cut off unless it accepts devices named %s*", ch.Name, ch.Table.Name, networkPrefix))
				}
			}
		}
		return nil
	})
	return out, err
}
