from blpo.data.pairing.pairing_options import BESTS, PairingOptions
from blpo.data.pairing.write_pairs import write_pairs

__all__ = ["BESTS", "PairingOptions", "write_pairs"]
