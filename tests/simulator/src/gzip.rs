//! gzip (RFC 1952) around stored blocks (RFC 1951): what any client can unpack, and nothing gets smaller by it.

/// The largest stored block.
const BLOCK_BYTES_MAX: usize = 65_535;
/// Magic number, "deflate", no flags, no time, no hints, an unknown system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// The bytes as a gzip file.
pub(crate) fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut out = HEADER.to_vec();
    let blocks = bytes.len().div_ceil(BLOCK_BYTES_MAX).max(1);
    for block in 0..blocks {
        let from = block * BLOCK_BYTES_MAX;
        let bytes = &bytes[from..bytes.len().min(from + BLOCK_BYTES_MAX)];
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        out.push(u8::from(block + 1 == blocks));
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend(bytes);
    }
    out.extend(checksum(bytes).to_le_bytes());
    // The length modulo 2^32, as the format has it.
    out.extend(&bytes.len().to_le_bytes()[..4]);
    out
}

/// CRC-32 as gzip wants it.
fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_of_the_specification_s_sample_is_right() {
        assert_eq!(checksum(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn what_is_packed_is_what_gzip_itself_writes_of_stored_bytes() {
        let packed = packed(b"a");
        assert_eq!(packed[10..16], [1, 1, 0, 0xfe, 0xff, b'a']);
        assert_eq!(packed[16..20], 0xe8b7_be43_u32.to_le_bytes());
        assert_eq!(packed[20..], [1, 0, 0, 0]);
    }

    #[test]
    fn long_bytes_take_several_blocks_and_the_last_one_says_so() {
        let packed = packed(&vec![7; BLOCK_BYTES_MAX + 1]);
        assert_eq!((packed[10], packed[10 + 5 + BLOCK_BYTES_MAX]), (0, 1));
        assert_eq!(packed.len(), 10 + 5 + BLOCK_BYTES_MAX + 5 + 1 + 8);
    }
}
