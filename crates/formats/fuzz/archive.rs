//! ZIP archives of chosen entries.

/// An archive as `torch.save` writes it, stored, of these entries.
pub(crate) fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, data) in entries {
        let start = bytes.len() as u32;
        let checksum = crc32fast::hash(data);
        let sizes = [checksum, data.len() as u32, data.len() as u32];
        let mut header: Vec<u8> = [20u16, 0, 0, 0, 0].iter().flat_map(|field| field.to_le_bytes()).collect();
        header.extend(sizes.iter().flat_map(|field| field.to_le_bytes()));
        header.extend((name.len() as u16).to_le_bytes());
        header.extend([0, 0]);
        bytes.extend(b"PK\x03\x04".iter().chain(&header).chain(name.as_bytes()).chain(*data));
        directory.extend(b"PK\x01\x02\x14\x00".iter().chain(&header).chain(&[0; 10]));
        directory.extend(start.to_le_bytes().iter().chain(name.as_bytes()));
    }
    let (start, count) = (bytes.len() as u32, entries.len() as u16);
    bytes.extend(&directory);
    bytes.extend(b"PK\x05\x06\x00\x00\x00\x00");
    bytes.extend(count.to_le_bytes().iter().chain(&count.to_le_bytes()));
    bytes.extend((directory.len() as u32).to_le_bytes().iter().chain(&start.to_le_bytes()).chain(&[0, 0]));
    bytes
}
