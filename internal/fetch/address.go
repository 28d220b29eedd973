package fetch

import (
	"context"
	"net/netip"
	"strings"
	"syscall"
)

// rules decide about the address of a connection that is about to be opened.
type rules struct {
	loopback bool
	public   bool
	passed   func(addr string)
}

// control runs after the name lookup and before the connection, for each
// address that is tried: what it sees is what is dialled.
func (r rules) control(_ context.Context, _, addr string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil || !r.allow(ap.Addr()) {
		return ErrForbiddenAddress
	}
	if r.passed != nil {
		r.passed(addr)
	}
	return nil
}

func (r rules) allow(a netip.Addr) bool {
	if a.Zone() != "" || a.Is4In6() {
		return false
	}
	if a.IsLoopback() {
		return r.loopback
	}
	return r.public && isPublic(a)
}

// isPublic tells whether the address belongs to the public internet by the
// special-purpose registries of RFC 6890. IPv6 is public only in 2000::/3,
// which leaves out unique local, link-local and the prefixes of NAT64, which
// lead to IPv4 addresses that this process cannot see.
func isPublic(a netip.Addr) bool {
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	if a.Is4() {
		return !inAny(a, special4())
	}
	return netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20}), 3).Contains(a) && !inAny(a, special6())
}

func special4() []netip.Prefix {
	return []netip.Prefix{
		prefix4(0, 0, 0, 0, 8),       // this network
		prefix4(100, 64, 0, 0, 10),   // shared address space, RFC 6598
		prefix4(192, 0, 0, 0, 24),    // protocol assignments
		prefix4(192, 0, 2, 0, 24),    // documentation
		prefix4(192, 88, 99, 0, 24),  // 6to4 relays, deprecated
		prefix4(198, 18, 0, 0, 15),   // benchmarks
		prefix4(198, 51, 100, 0, 24), // documentation
		prefix4(203, 0, 113, 0, 24),  // documentation
		prefix4(240, 0, 0, 0, 4),     // reserved, and broadcast
	}
}

func special6() []netip.Prefix {
	return []netip.Prefix{
		prefix6(0x2001, 0x0000, 23), // protocol assignments, among them Teredo
		prefix6(0x2001, 0x0db8, 32), // documentation
		prefix6(0x2002, 0x0000, 16), // 6to4, which holds an IPv4 address
		prefix6(0x3fff, 0x0000, 20), // documentation
	}
}

func prefix4(a, b, c, d byte, bits int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{a, b, c, d}), bits)
}

func prefix6(first, second uint16, bits int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom16([16]byte{
		byte(first >> 8), byte(first), byte(second >> 8), byte(second),
	}), bits)
}

func inAny(a netip.Addr, prefixes []netip.Prefix) bool {
	for _, p := range prefixes {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// checkHost refuses early, before a name server hears of it, a host that is
// written as an address: as one that is not allowed, or in one of the old
// spellings of IPv4 (2130706433, 0x7f.1, 127.1) that systems read differently.
// A name passes here; its addresses are checked when they are dialled.
func (r rules) checkHost(host string) error {
	if a, err := netip.ParseAddr(host); err == nil {
		if !r.allow(a) {
			return ErrForbiddenAddress
		}
		return nil
	}
	name := strings.TrimSuffix(host, ".")
	last := strings.ToLower(name[strings.LastIndexByte(name, '.')+1:])
	if last == "" || isNumeric(last) {
		return ErrForbiddenAddress
	}
	return nil
}

// isNumeric tells whether a label is a decimal, octal or hexadecimal number.
func isNumeric(label string) bool {
	digits := "0123456789"
	if rest, hex := strings.CutPrefix(label, "0x"); hex {
		label, digits = rest, digits+"abcdef"
	}
	return strings.Trim(label, digits) == ""
}
