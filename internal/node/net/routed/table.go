package routed

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/userdata"
	"github.com/mdlayher/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// maxBatchBytes bounds a transaction, which goes to the kernel in one message.
const maxBatchBytes = 64 << 20

// tables collects the tables of one transaction, in which each takes the place
// of the one that has its name.
type tables struct {
	c    *nftables.Conn
	sets uint32 // so far
	err  error
}

func newTables() (*tables, error) {
	c, err := nftables.New(nftables.WithSockOptions(func(s *netlink.Conn) error {
		return errors.Join(s.SetReadBuffer(maxBatchBytes), s.SetWriteBuffer(maxBatchBytes))
	}))
	if err != nil {
		return nil, fmt.Errorf("open nftables: %w", err)
	}
	return &tables{c: c}, nil
}

// commit makes them all, or none.
func (ts *tables) commit() error {
	if ts.err != nil {
		return ts.err
	}
	return explain(ts.c.Flush())
}

// explain names what a kernel may lack that refuses our rules. It says no more
// than that something is not there.
func explain(err error) error {
	for _, lack := range []error{unix.ENOENT, unix.EOPNOTSUPP, unix.EPROTONOSUPPORT, unix.EAFNOSUPPORT} {
		if errors.Is(err, lack) {
			return fmt.Errorf("%w: the kernel seems to lack a part of nftables; needed are the modules nf_tables, nft_ct, nft_nat, nft_masq and nft_fib_inet, which modprobe would load", err)
		}
	}
	return err
}

// remove deletes a table if it is there.
func (ts *tables) remove(family nftables.TableFamily, name string) {
	t := &nftables.Table{Family: family, Name: name}
	ts.c.AddTable(t)
	ts.c.DelTable(t)
}

func (ts *tables) add(family nftables.TableFamily, name string) *table {
	ts.remove(family, name)
	return &table{ts, ts.c.AddTable(&nftables.Table{Family: family, Name: name}), map[string]*nftables.Set{}}
}

type table struct {
	*tables
	t      *nftables.Table
	shared map[string]*nftables.Set
}

// base adds a chain that packets come to by themselves.
func (t *table) base(name string, typ nftables.ChainType, hook *nftables.ChainHook, prio *nftables.ChainPriority, policy nftables.ChainPolicy) chain {
	return chain{t, t.c.AddChain(&nftables.Chain{Name: name, Table: t.t, Type: typ, Hooknum: hook, Priority: prio, Policy: &policy})}
}

func (t *table) chain(name string) chain {
	return chain{t, t.c.AddChain(&nftables.Chain{Name: name, Table: t.t})}
}

// set adds a set of keys of the types, joined.
func (t *table) set(name string, elements []nftables.SetElement, types ...nftables.SetDatatype) *nftables.Set {
	s := &nftables.Set{Table: t.t, Name: name, KeyType: types[0], KeyByteOrder: byteOrder(types[0])}
	if len(types) > 1 {
		s.KeyType, s.Concatenation = nftables.MustConcatSetType(types...), true
	}
	return t.addSet(s, elements)
}

// update changes the keys of a set that is there.
func (t *table) update(name string, key nftables.SetDatatype, was, is map[string]bool) {
	s := &nftables.Set{Table: t.t, Name: name, KeyType: key}
	t.fail(name, t.change(t.c.SetDeleteElements, s, without(was, is)))
	t.fail(name, t.change(t.c.SetAddElements, s, without(is, was)))
}

func (t *table) change(f func(*nftables.Set, []nftables.SetElement) error, s *nftables.Set, keys map[string]bool) error {
	if len(keys) == 0 {
		return nil
	}
	return f(s, elements(keys))
}

func (t *table) fail(set string, err error) {
	if err != nil && t.err == nil {
		t.err = fmt.Errorf("set %s: %w", set, err)
	}
}

func without(a, b map[string]bool) map[string]bool {
	out := maps.Clone(a)
	maps.DeleteFunc(out, func(k string, _ bool) bool { return b[k] })
	return out
}

func elements(keys map[string]bool) []nftables.SetElement {
	var out []nftables.SetElement
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		out = append(out, nftables.SetElement{Key: []byte(k)})
	}
	return out
}

// dict adds a map from a key to a value or a verdict.
func (t *table) dict(name string, key, value nftables.SetDatatype, elements []nftables.SetElement) *nftables.Set {
	return t.addSet(&nftables.Set{Table: t.t, Name: name, IsMap: true, KeyType: key, DataType: value, KeyByteOrder: byteOrder(key)}, elements)
}

// spans adds a set of spans, once for all rules that match with the same. It
// has a name of its own, not one that the kernel makes up: to do that it reads
// the names of all others.
func (t *table) spans(key nftables.SetDatatype, spans []span) *nftables.Set {
	sum := sha256.New()
	for _, s := range spans {
		fmt.Fprintln(sum, s.first, s.last)
	}
	name := key.Name + "_" + hex.EncodeToString(sum.Sum(nil)[:6])
	if s := t.shared[name]; s != nil {
		return s
	}
	var el []nftables.SetElement
	for _, s := range spans {
		el = append(el, nftables.SetElement{Key: number(s.first, key.Bytes)})
		// The end is the first that is out; what reaches to the top has none.
		if s.last != uint32(uint64(1)<<(8*key.Bytes)-1) {
			el = append(el, nftables.SetElement{Key: number(s.last+1, key.Bytes), IntervalEnd: true})
		}
	}
	t.shared[name] = t.addSet(&nftables.Set{Table: t.t, Name: name, Constant: true, Interval: true, KeyType: key}, el)
	return t.shared[name]
}

func (t *table) addSet(s *nftables.Set, elements []nftables.SetElement) *nftables.Set {
	// The library would count in a variable that all goroutines share.
	t.sets++
	s.ID = t.sets
	t.fail(s.Name, t.c.AddSet(s, elements))
	return s
}

// byteOrder makes `nft list` show device names.
func byteOrder(t nftables.SetDatatype) binaryutil.ByteOrder {
	if t.Name == nftables.TypeIFName.Name {
		return binaryutil.NativeEndian
	}
	return nil
}

type chain struct {
	t *table
	c *nftables.Chain
}

// rule adds a rule: its conditions, and what it does.
func (c chain) rule(parts ...[]expr.Any) { c.named("", parts...) }

// named adds a rule with a comment.
func (c chain) named(comment string, parts ...[]expr.Any) {
	r := &nftables.Rule{Table: c.t.t, Chain: c.c}
	for _, p := range parts {
		r.Exprs = append(r.Exprs, p...)
	}
	if comment != "" {
		r.UserData = userdata.AppendString(nil, userdata.TypeComment, comment)
	}
	c.t.c.AddRule(r)
}

// generation counts the transactions of the thread's namespace.
func generation() (uint32, error) {
	req := nl.NewNetlinkRequest(unix.NFNL_SUBSYS_NFTABLES<<8|unix.NFT_MSG_GETGEN, 0)
	req.AddData(&nl.Nfgenmsg{NfgenFamily: unix.AF_UNSPEC, Version: nl.NFNETLINK_V0})
	replies, err := req.Execute(unix.NETLINK_NETFILTER, 0)
	if err != nil {
		return 0, fmt.Errorf("get generation: %w", err)
	}
	for _, b := range replies {
		if len(b) < nl.SizeofNfgenmsg {
			continue
		}
		attrs, err := nl.ParseRouteAttrAsMap(b[nl.SizeofNfgenmsg:])
		if err != nil {
			return 0, fmt.Errorf("get generation: %w", err)
		}
		if a, ok := attrs[unix.NFTA_GEN_ID]; ok && len(a.Value) == 4 {
			return binaryutil.BigEndian.Uint32(a.Value), nil
		}
	}
	return 0, errors.New("get generation: no answer")
}
