/* What vouchers tell, what links them, and what is refused before it is written. */
#include <stdlib.h>

#include "suite.h"

/* Whether a list has this kind; its numbers go to `found`. Frees the list. */
static bool tells(ov_disclosures *disclosures, int32_t code, ov_disclosure *found) {
    size_t len = 0;
    bool any = false;
    const ov_disclosure *all = ov_disclosures_all(disclosures, &len);
    CHECK(len > 0);
    for (size_t i = 0; i < len; i++) {
        CHECK(strcmp(all[i].name, ov_name(OV_NAMES_DISCLOSURE, all[i].code)) == 0);
        CHECK(*all[i].message != 0 && *all[i].advice != 0 && all[i].value != NULL);
        CHECK(all[i].severity >= OV_SEVERITY_INHERENT && all[i].severity <= OV_SEVERITY_CRITICAL);
        if (all[i].code == code && !any) {
            any = true;
            *found = all[i];
        }
    }
    OK(ov_disclosures_free(&disclosures));
    CHECK(disclosures == NULL);
    return any;
}

static void test_disclosures(const ov_voucher *voucher) {
    ov_disclosures *disclosures = NULL;
    ov_disclosure found;
    int32_t code = 0;
    OK(ov_voucher_disclosures(voucher, false, &disclosures));
    CHECK(tells(disclosures, OV_DISCLOSURE_GUID_NOT_RANDOM, &found));
    CHECK(found.severity == OV_SEVERITY_MEDIUM && found.entry == OV_NONE);
    OK(ov_voucher_disclosures(voucher, false, &disclosures));
    CHECK(tells(disclosures, OV_DISCLOSURE_ENTRY_COUNT, &found));
    OK(ov_voucher_disclosures(voucher, false, &disclosures));
    CHECK(!tells(disclosures, OV_DISCLOSURE_WIFI_PASSWORD, &found));
    OK(ov_number(OV_NAMES_DISCLOSURE, "wifi-password", 13, &code));
    CHECK(code == OV_DISCLOSURE_WIFI_PASSWORD);
    IS(ov_number(OV_NAMES_DISCLOSURE, "wifi", 4, &code), OV_ERR_BAD_CALL);
    IS(ov_voucher_disclosures(NULL, false, &disclosures), OV_ERR_NULL);
    IS(ov_voucher_disclosures(voucher, false, NULL), OV_ERR_NULL);
}

/* The key of the maker again: the next owner stands in the voucher already. */
static void test_extend(const ov_voucher *voucher) {
    ov_verified *verified = NULL;
    ov_extend_options *options = NULL;
    ov_extension *extension = NULL;
    ov_disclosures *disclosures = NULL;
    ov_disclosure found;
    ov_error *error = NULL;
    OK(ov_voucher_verify(voucher, any_origin(), &verified, NULL));
    OK(ov_extend_options_new(&options));
    OK(ov_error_new(&error));
    ov_next_owner *maker = next_owner(1), *other = next_owner(2);

    OK(ov_verified_extend(verified, maker, options, &extension, NULL));
    OK(ov_extension_disclosures(extension, false, &disclosures, NULL));
    CHECK(tells(disclosures, OV_DISCLOSURE_REPEATED_OWNER, &found) && found.entry == 0);
    OK(ov_extension_free(&extension));

    OK(ov_extend_options_refuse_disclosure(options, OV_DISCLOSURE_REPEATED_OWNER));
    IS(ov_verified_extend(verified, maker, options, &extension, error), OV_ERR_DISCLOSURE);
    CHECK(ov_error_status(error) == OV_ERR_DISCLOSURE && extension == NULL);
    OK(ov_verified_extend(verified, other, options, &extension, NULL));
    OK(ov_extension_free(&extension));
    /* All that is strict: the GUID of the suite is not random. */
    OK(ov_extend_options_refuse_disclosure(options, 0));
    IS(ov_verified_extend(verified, other, options, &extension, NULL), OV_ERR_DISCLOSURE);
    IS(ov_extend_options_refuse_disclosure(options, 7), OV_ERR_BAD_CALL);
    OK(ov_next_owner_free(&maker));
    OK(ov_next_owner_free(&other));
    OK(ov_error_free(&error));
    OK(ov_extend_options_free(&options));
    OK(ov_verified_free(&verified));
}

static void test_create(void) {
    unsigned char guid[16];
    for (int i = 0; i < 16; i++) guid[i] = (unsigned char)(37 * i + 129);
    const char *info = "GW-100 S/N 17";
    const int32_t serial = OV_DISCLOSURE_DEVICE_INFO_SERIAL, other = OV_DISCLOSURE_EXTRA_DATA, all = 0;
    ov_next_owner *maker = next_owner(1);
    ov_new_voucher *made = NULL;
    ov_rv_directive *directive = NULL;
    ov_header *header = NULL;
    ov_disclosures *disclosures = NULL;
    ov_disclosure found;
    OK(ov_new_voucher_new(guid, info, strlen(info), maker, &made, NULL));
    OK(ov_rv_directive_new(&directive));
    OK(ov_rv_directive_dns(directive, "rv.example.com", 14));
    OK(ov_rv_directive_set(directive, OV_RV_SET_DEVICE_PORT, 443));
    OK(ov_rv_directive_set(directive, OV_RV_SET_PROTOCOL, 2));
    OK(ov_new_voucher_add_rendezvous(made, directive));
    OK(ov_new_voucher_set(made, OV_NEW_EPID, 1));
    OK(ov_new_voucher_header(made, &header, NULL));
    OK(ov_header_disclosures(header, false, &disclosures));
    CHECK(tells(disclosures, OV_DISCLOSURE_DEVICE_INFO_SERIAL, &found));
    OK(ov_header_free(&header));
    OK(ov_new_voucher_refuse_disclosures(made, &serial, 1));
    IS(ov_new_voucher_header(made, &header, NULL), OV_ERR_DISCLOSURE);
    OK(ov_new_voucher_refuse_disclosures(made, &all, 1));
    IS(ov_new_voucher_header(made, &header, NULL), OV_ERR_DISCLOSURE);
    OK(ov_new_voucher_refuse_disclosures(made, &other, 1));
    OK(ov_new_voucher_header(made, &header, NULL));
    OK(ov_header_free(&header));
    OK(ov_rv_directive_free(&directive));
    OK(ov_new_voucher_free(&made));
    OK(ov_next_owner_free(&maker));
}

/* Two vouchers of one maker and owner. */
static void test_links(const ov_voucher *voucher) {
    ov_voucher *second = made_voucher(77);
    ov_linker *linker = NULL;
    ov_linkage *linkage = NULL;
    ov_linkage_summary summary;
    size_t groups = 0;
    uint64_t number = 9, labels = 0, anonymity_set = 0, clusters[2] = {9, 9};
    const int32_t owners = OV_LINK_CURRENT_OWNER, serials = OV_LINK_DEVICE_SERIALS, unknown = 1;
    const uint8_t secret[32] = {7};
    IS(ov_linker_new(secret, 31, &linker), OV_ERR_BAD_CALL);
    OK(ov_linker_new(secret, 32, &linker));
    OK(ov_linker_add(linker, voucher, &number, NULL));
    CHECK(number == 0);
    OK(ov_linker_add(linker, second, &number, NULL));
    CHECK(number == 1);
    OK(ov_voucher_free(&second));
    OK(ov_linker_finish(linker, &linkage));
    IS(ov_linker_add(linker, voucher, NULL, NULL), OV_ERR_ABSENT);
    OK(ov_linker_free(&linker));
    OK(ov_linkage_info(linkage, &summary));
    CHECK(summary.vouchers == 2 && summary.owner_keys == 1 && summary.linked_owners == 2);
    /* Owner, maker, device info, rendezvous server. */
    CHECK(summary.groups == 4 && summary.smallest_anonymity_set == 1);
    const ov_group *group = ov_linkage_groups(linkage, &groups);
    CHECK(groups == 4);
    CHECK(group[0].code == OV_LINK_CURRENT_OWNER && group[0].size == 2 && group[0].first == 0);
    CHECK(strcmp(group[0].name, "current-owner") == 0);
    CHECK(strcmp(group[3].text, "rv.example.com") == 0);
    CHECK(ov_linkage_groups(NULL, &groups) == NULL && groups == 0);
    OK(ov_linkage_voucher(linkage, 1, &labels, &anonymity_set));
    CHECK(labels == 4 && anonymity_set == 1);
    OK(ov_linkage_voucher(linkage, 0, NULL, NULL));
    IS(ov_linkage_voucher(linkage, 2, &labels, &anonymity_set), OV_ERR_INDEX);
    OK(ov_linkage_group_of(linkage, 1, 3, &number));
    CHECK(number == 3);
    IS(ov_linkage_group_of(linkage, 1, 4, &number), OV_ERR_INDEX);
    OK(ov_linkage_clusters(linkage, &owners, 1, clusters, 2));
    CHECK(clusters[0] == 0 && clusters[1] == 0);
    OK(ov_linkage_clusters(linkage, &serials, 1, clusters, 2));
    CHECK(clusters[0] == 0 && clusters[1] == 1);
    IS(ov_linkage_clusters(linkage, &owners, 1, clusters, 1), OV_ERR_BAD_CALL);
    IS(ov_linkage_clusters(linkage, &unknown, 1, clusters, 2), OV_ERR_BAD_CALL);
    OK(ov_linkage_free(&linkage));
}

void test_privacy(void) {
    ov_voucher *voucher = made_voucher(9);
    test_disclosures(voucher);
    test_extend(voucher);
    test_create();
    test_links(voucher);
    OK(ov_voucher_free(&voucher));
}
