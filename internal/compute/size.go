package compute

import "strings"

// Size is how large a machine is.
type Size struct {
	Name, Family string
	CPUs         int
	MemoryMiB    int
	MaxDataDisks int
	MaxNICs      int
	Premium      bool // that its disks are premium ones when nothing is said
}

// FindSize finds a size by name, in any case.
func FindSize(name string) (Size, bool) {
	for _, s := range Sizes {
		if strings.EqualFold(s.Name, name) {
			return s, true
		}
	}
	return Size{}, false
}

// Sizes are the sizes of machines, with Azure's names and numbers.
var Sizes = []Size{
	{Name: "Standard_B1ls", Family: "standardBSFamily", CPUs: 1, MemoryMiB: 512, MaxDataDisks: 2, MaxNICs: 2, Premium: true},
	{Name: "Standard_B1s", Family: "standardBSFamily", CPUs: 1, MemoryMiB: 1024, MaxDataDisks: 2, MaxNICs: 2, Premium: true},
	{Name: "Standard_B1ms", Family: "standardBSFamily", CPUs: 1, MemoryMiB: 2048, MaxDataDisks: 2, MaxNICs: 2, Premium: true},
	{Name: "Standard_B2s", Family: "standardBSFamily", CPUs: 2, MemoryMiB: 4096, MaxDataDisks: 4, MaxNICs: 3, Premium: true},
	{Name: "Standard_B2ms", Family: "standardBSFamily", CPUs: 2, MemoryMiB: 8192, MaxDataDisks: 4, MaxNICs: 3, Premium: true},
	{Name: "Standard_B4ms", Family: "standardBSFamily", CPUs: 4, MemoryMiB: 16384, MaxDataDisks: 8, MaxNICs: 4, Premium: true},
	{Name: "Standard_B8ms", Family: "standardBSFamily", CPUs: 8, MemoryMiB: 32768, MaxDataDisks: 16, MaxNICs: 4, Premium: true},
	{Name: "Standard_DS1_v2", Family: "standardDSv2Family", CPUs: 1, MemoryMiB: 3584, MaxDataDisks: 4, MaxNICs: 2, Premium: true},
	{Name: "Standard_DS2_v2", Family: "standardDSv2Family", CPUs: 2, MemoryMiB: 7168, MaxDataDisks: 8, MaxNICs: 2, Premium: true},
	{Name: "Standard_DS3_v2", Family: "standardDSv2Family", CPUs: 4, MemoryMiB: 14336, MaxDataDisks: 16, MaxNICs: 4, Premium: true},
	{Name: "Standard_DS4_v2", Family: "standardDSv2Family", CPUs: 8, MemoryMiB: 28672, MaxDataDisks: 32, MaxNICs: 8, Premium: true},
	{Name: "Standard_DS5_v2", Family: "standardDSv2Family", CPUs: 16, MemoryMiB: 57344, MaxDataDisks: 64, MaxNICs: 8, Premium: true},
	{Name: "Standard_D1_v2", Family: "standardDv2Family", CPUs: 1, MemoryMiB: 3584, MaxDataDisks: 4, MaxNICs: 2, Premium: false},
	{Name: "Standard_D2_v2", Family: "standardDv2Family", CPUs: 2, MemoryMiB: 7168, MaxDataDisks: 8, MaxNICs: 2, Premium: false},
	{Name: "Standard_D3_v2", Family: "standardDv2Family", CPUs: 4, MemoryMiB: 14336, MaxDataDisks: 16, MaxNICs: 4, Premium: false},
	{Name: "Standard_D4_v2", Family: "standardDv2Family", CPUs: 8, MemoryMiB: 28672, MaxDataDisks: 32, MaxNICs: 8, Premium: false},
	{Name: "Standard_D2s_v3", Family: "standardDSv3Family", CPUs: 2, MemoryMiB: 8192, MaxDataDisks: 4, MaxNICs: 2, Premium: true},
	{Name: "Standard_D4s_v3", Family: "standardDSv3Family", CPUs: 4, MemoryMiB: 16384, MaxDataDisks: 8, MaxNICs: 2, Premium: true},
	{Name: "Standard_D8s_v3", Family: "standardDSv3Family", CPUs: 8, MemoryMiB: 32768, MaxDataDisks: 16, MaxNICs: 4, Premium: true},
	{Name: "Standard_D16s_v3", Family: "standardDSv3Family", CPUs: 16, MemoryMiB: 65536, MaxDataDisks: 32, MaxNICs: 8, Premium: true},
	{Name: "Standard_D32s_v3", Family: "standardDSv3Family", CPUs: 32, MemoryMiB: 131072, MaxDataDisks: 32, MaxNICs: 8, Premium: true},
	{Name: "Standard_D2s_v4", Family: "standardDSv4Family", CPUs: 2, MemoryMiB: 8192, MaxDataDisks: 4, MaxNICs: 2, Premium: true},
	{Name: "Standard_D4s_v4", Family: "standardDSv4Family", CPUs: 4, MemoryMiB: 16384, MaxDataDisks: 8, MaxNICs: 2, Premium: true},
	{Name: "Standard_D8s_v4", Family: "standardDSv4Family", CPUs: 8, MemoryMiB: 32768, MaxDataDisks: 16, MaxNICs: 4, Premium: true},
	{Name: "Standard_D16s_v4", Family: "standardDSv4Family", CPUs: 16, MemoryMiB: 65536, MaxDataDisks: 32, MaxNICs: 8, Premium: true},
	{Name: "Standard_D32s_v4", Family: "standardDSv4Family", CPUs: 32, MemoryMiB: 131072, MaxDataDisks: 32, MaxNICs: 8, Premium: true},
	{Name: "Standard_D2s_v5", Family: "standardDSv5Family", CPUs: 2, MemoryMiB: 8192, MaxDataDisks: 4, MaxNICs: 2, Premium: true},
	{Name: "Standard_D4s_v5", Family: "standardDSv5Family", CPUs: 4, MemoryMiB: 16384, MaxDataDisks: 8, MaxNICs: 2, Premium: true},
	{Name: "Standard_D8s_v5", Family: "standardDSv5Family", CPUs: 8, MemoryMiB: 32768, MaxDataDisks: 16, MaxNICs: 4, Premium: true},
	{Name: "Standard_D16s_v5", Family: "standardDSv5Family", CPUs: 16, MemoryMiB: 65536, MaxDataDisks: 32, MaxNICs: 8, Premium: true},
	{Name: "Standard_D32s_v5", Family: "standardDSv5Family", CPUs: 32, MemoryMiB: 131072, MaxDataDisks: 32, MaxNICs: 8, Premium: true},
	{Name: "Standard_D2as_v5", Family: "standardDASv5Family", CPUs: 2, MemoryMiB: 8192, MaxDataDisks: 4, MaxNICs: 2, Premium: true},
	{Name: "Standard_D4as_v5", Family: "standardDASv5Family", CPUs: 4, MemoryMiB: 16384, MaxDataDisks: 8, MaxNICs: 2, Premium: true},
	{Name: "Standard_D8as_v5", Family: "standardDASv5Family", CPUs: 8, MemoryMiB: 32768, MaxDataDisks: 16, MaxNICs: 4, Premium: true},
	{Name: "Standard_D16as_v5", Family: "standardDASv5Family", CPUs: 16, MemoryMiB: 65536, MaxDataDisks: 32, MaxNICs: 8, Premium: true},
	{Name: "Standard_D32as_v5", Family: "standardDASv5Family", CPUs: 32, MemoryMiB: 131072, MaxDataDisks: 32, MaxNICs: 8, Premium: true},
	{Name: "Standard_F2s_v2", Family: "standardFSv2Family", CPUs: 2, MemoryMiB: 4096, MaxDataDisks: 4, MaxNICs: 2, Premium: true},
	{Name: "Standard_F4s_v2", Family: "standardFSv2Family", CPUs: 4, MemoryMiB: 8192, MaxDataDisks: 8, MaxNICs: 2, Premium: true},
	{Name: "Standard_F8s_v2", Family: "standardFSv2Family", CPUs: 8, MemoryMiB: 16384, MaxDataDisks: 16, MaxNICs: 4, Premium: true},
	{Name: "Standard_F16s_v2", Family: "standardFSv2Family", CPUs: 16, MemoryMiB: 32768, MaxDataDisks: 32, MaxNICs: 4, Premium: true},
	{Name: "Standard_F32s_v2", Family: "standardFSv2Family", CPUs: 32, MemoryMiB: 65536, MaxDataDisks: 32, MaxNICs: 8, Premium: true},
	{Name: "Standard_E2s_v3", Family: "standardESv3Family", CPUs: 2, MemoryMiB: 16384, MaxDataDisks: 4, MaxNICs: 2, Premium: true},
	{Name: "Standard_E4s_v3", Family: "standardESv3Family", CPUs: 4, MemoryMiB: 32768, MaxDataDisks: 8, MaxNICs: 2, Premium: true},
	{Name: "Standard_E8s_v3", Family: "standardESv3Family", CPUs: 8, MemoryMiB: 65536, MaxDataDisks: 16, MaxNICs: 4, Premium: true},
	{Name: "Standard_E16s_v3", Family: "standardESv3Family", CPUs: 16, MemoryMiB: 131072, MaxDataDisks: 32, MaxNICs: 8, Premium: true},
	{Name: "Standard_E32s_v3", Family: "standardESv3Family", CPUs: 32, MemoryMiB: 262144, MaxDataDisks: 32, MaxNICs: 8, Premium: true},
	{Name: "Standard_E2s_v5", Family: "standardESv5Family", CPUs: 2, MemoryMiB: 16384, MaxDataDisks: 4, MaxNICs: 2, Premium: true},
	{Name: "Standard_E4s_v5", Family: "standardESv5Family", CPUs: 4, MemoryMiB: 32768, MaxDataDisks: 8, MaxNICs: 2, Premium: true},
	{Name: "Standard_E8s_v5", Family: "standardESv5Family", CPUs: 8, MemoryMiB: 65536, MaxDataDisks: 16, MaxNICs: 4, Premium: true},
	{Name: "Standard_E16s_v5", Family: "standardESv5Family", CPUs: 16, MemoryMiB: 131072, MaxDataDisks: 32, MaxNICs: 8, Premium: true},
	{Name: "Standard_E32s_v5", Family: "standardESv5Family", CPUs: 32, MemoryMiB: 262144, MaxDataDisks: 32, MaxNICs: 8, Premium: true},
}
