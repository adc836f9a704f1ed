// The sheet as a PDF page, through libharu. Its functions do nothing any more after one of them has failed,
// so one look at the end is enough.
#include <hpdf.h>

#include <memory>

#include "client/sheet/recovery_sheet.hpp"
#include "common/base/error.hpp"

namespace strongroom::client {
namespace {

constexpr float margin = 42;      // points
constexpr float code_size = 112;  // of the QR code, with its quiet zone
constexpr float quiet_zone = 4;   // modules
constexpr float value_indent = 88;
constexpr float command_indent = 12;
constexpr float largest = 9.5F;  // size of the letters; smaller ones are tried until the page holds all
constexpr float smallest = 6;
constexpr float step = 0.5F;

struct Document {
    HPDF_Doc doc = HPDF_New(nullptr, nullptr);
    Document() = default;
    Document(const Document&) = delete;
    ~Document() {
        if (doc != nullptr) HPDF_Free(doc);
    }
};

// UTF-8 as the standard fonts have it: Latin-1, and a question mark for the rest.
std::string win_ansi(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (byte < 0x80) {
            out += text[i];
        } else if ((byte == 0xC2 || byte == 0xC3) && i + 1 < text.size()) {
            const auto next = static_cast<unsigned char>(text[++i]);
            out += byte == 0xC2 && next < 0xA0 ? '?' : static_cast<char>((byte << 6U) | (next & 0x3FU));
        } else if (byte >= 0xC0) {
            out += '?';
        }  // else: a later byte of the same letter
    }
    return out;
}

struct Fonts {
    explicit Fonts(HPDF_Doc doc)
        : plain(HPDF_GetFont(doc, "Helvetica", "WinAnsiEncoding")),
          bold(HPDF_GetFont(doc, "Helvetica-Bold", "WinAnsiEncoding")),
          fixed(HPDF_GetFont(doc, "Courier", "WinAnsiEncoding")) {}
    HPDF_Font plain, bold, fixed;
};

// Lays the parts out from the top of the page down; with `page` null it only measures.
class Layout {
  public:
    Layout(const Fonts& fonts, HPDF_Page page, float width, float height, float size)
        : fonts_(fonts),
          page_(page),
          width_(width),
          y_(height - margin),
          size_(size),
          code_bottom_(height - margin - code_size - 8) {}

    void add(const SheetPart& part) {
        const std::string text = win_ansi(part.text);
        switch (part.kind) {
            case PartKind::title:
                lines(text, fonts_.bold, size_ * 1.6F, 0, false);
                y_ -= size_;
                break;
            case PartKind::heading:
                y_ -= size_;
                lines(text, fonts_.bold, size_ * 1.15F, 0, false);
                break;
            case PartKind::field: {
                const float top = y_;
                draw(part.name, fonts_.plain, size_, 0, top - size_);
                lines(text, fonts_.fixed, size_, value_indent, false);
                break;
            }
            case PartKind::note:
                lines(text, fonts_.plain, size_, 0, false);
                y_ -= size_ * 0.3F;
                break;
            case PartKind::command:
                lines(text, fonts_.fixed, size_, command_indent, true);
                y_ -= size_ * 0.3F;
                break;
        }
    }
    float bottom() const { return y_; }

  private:
    // Beside the QR code there is less room.
    float room(float indent) const {
        const float right = y_ - size_ > code_bottom_ ? width_ - margin - code_size - 12 : width_ - margin;
        return right - margin - indent;
    }

    void draw(const std::string& text, HPDF_Font font, float size, float indent, float y) {
        if (page_ == nullptr) return;
        HPDF_Page_BeginText(page_);
        HPDF_Page_SetFontAndSize(page_, font, size);
        HPDF_Page_TextOut(page_, margin + indent, y, text.c_str());
        HPDF_Page_EndText(page_);
    }

    std::size_t fitting(std::string_view text, HPDF_Font font, float size, float room, bool at_spaces) const {
        const auto* bytes = reinterpret_cast<const HPDF_BYTE*>(text.data());
        return HPDF_Font_MeasureText(font, bytes, static_cast<HPDF_UINT>(text.size()), room, size, 0, 0,
                                     at_spaces ? HPDF_TRUE : HPDF_FALSE, nullptr);
    }

    // Broken at spaces, a longer word anywhere. A broken command goes on as a shell would read it.
    void lines(std::string_view text, HPDF_Font font, float size, float indent, bool command) {
        bool first = true;
        while (!text.empty()) {
            const float here = room(indent) - (command ? size * 1.2F : 0);  // " \"
            std::size_t count = fitting(text, font, size, here, false);
            bool in_word = false;
            if (count < text.size()) {
                const std::size_t space = text.rfind(' ', count);
                in_word = space == std::string_view::npos || space == 0;
                if (!in_word) count = space;
            }
            count = std::max<std::size_t>(count, 1);
            std::string line(text.substr(0, count));
            text.remove_prefix(std::min(text.size(), std::max(count, text.find_first_not_of(' ', count))));
            if (command && !text.empty()) line += in_word ? "\\" : " \\";
            draw(line, font, size, indent, y_ - size);
            y_ -= size * 1.25F;
            first = false;
        }
        if (first) y_ -= size * 1.25F;
    }

    const Fonts& fonts_;
    HPDF_Page page_;
    float width_;
    float y_;
    float size_;
    float code_bottom_;
};

void draw_code(HPDF_Page page, const QrCode& code, float width, float height) {
    const float module = code_size / (static_cast<float>(code.size()) + 2 * quiet_zone);
    const float left = width - margin - code_size + quiet_zone * module;
    const float top = height - margin - quiet_zone * module;
    HPDF_Page_SetRGBFill(page, 0, 0, 0);
    for (std::size_t row = 0; row < code.size(); ++row)
        for (std::size_t column = 0; column < code.size(); ++column) {
            std::size_t end = column;
            while (end < code.size() && code.dark(row, end)) ++end;
            if (end == column) continue;
            HPDF_Page_Rectangle(page, left + static_cast<float>(column) * module,
                                top - static_cast<float>(row + 1) * module,
                                static_cast<float>(end - column) * module, module);
            column = end;
        }
    HPDF_Page_Fill(page);
}

Bytes saved(HPDF_Doc doc) {
    HPDF_SaveToStream(doc);
    Bytes out(HPDF_GetStreamSize(doc), '\0');
    HPDF_UINT32 size = static_cast<HPDF_UINT32>(out.size());
    HPDF_ReadFromStream(doc, reinterpret_cast<HPDF_BYTE*>(out.data()), &size);
    if (const auto error = HPDF_GetError(doc); error != HPDF_OK || size != out.size() || out.empty())
        throw Error(ErrorKind::internal, "the PDF could not be made: libharu error " + std::to_string(error));
    return out;
}

}  // namespace

Bytes sheet_pdf(const std::vector<SheetPart>& parts, const QrCode& code, Paper paper) {
    const Document document;
    if (document.doc == nullptr) throw Error(ErrorKind::internal, "libharu could not be started");
    HPDF_Page page = HPDF_AddPage(document.doc);
    HPDF_Page_SetSize(page, paper == Paper::a4 ? HPDF_PAGE_SIZE_A4 : HPDF_PAGE_SIZE_LETTER,
                      HPDF_PAGE_PORTRAIT);
    HPDF_SetInfoAttr(document.doc, HPDF_INFO_TITLE, "Strongroom recovery sheet");
    const float width = HPDF_Page_GetWidth(page);
    const float height = HPDF_Page_GetHeight(page);
    const Fonts fonts(document.doc);
    for (float size = largest; size >= smallest; size -= step) {
        Layout measured(fonts, nullptr, width, height, size);
        for (const auto& part : parts) measured.add(part);
        if (measured.bottom() < margin) continue;
        Layout drawn(fonts, page, width, height, size);
        for (const auto& part : parts) drawn.add(part);
        draw_code(page, code, width, height);
        return saved(document.doc);
    }
    throw Error(ErrorKind::usage, "the sheet does not fit on one page",
                "Name fewer stores, or shorter addresses.");
}

}  // namespace strongroom::client
